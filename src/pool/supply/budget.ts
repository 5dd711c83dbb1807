import { LearnedLimit } from './learned-limit.js';

/** Milliseconds without a refusal after which an account may try one more connection. */
const CLIMB_MS = 300_000;
/**
 * Connections per user that servers allow by default, by the name in their ID response (RFC 2971): Dovecot's
 * mail_max_userip_connections, Courier's MAXPERIP, and the number that Gmail documents.
 */
const presets: readonly [RegExp, number][] = [
  [/^dovecot/i, 10],
  [/^courier/i, 4],
  [/^gimap/i, 15],
];
/** Share of a server's limit that is left to the user's other clients: a phone and a mail program connect as well. */
const ROOM = 0.2;

/**
 * How many connections an account may have: the least of the configured limit, the default of the server's software,
 * and the limit learned from the server's refusals.
 */
export class Budget {
  readonly #most: () => number;
  readonly #learned = new LearnedLimit(CLIMB_MS);
  #preset = Number.POSITIVE_INFINITY;

  /** @param most connections that the configuration allows */
  constructor(most: () => number) {
    this.#most = most;
  }

  get limit(): number {
    return Math.min(this.#most(), this.#preset, this.#learned.value);
  }

  /** The server has named its software in an ID response. */
  recognise(serverName: string | undefined): void {
    const [, allowed] = presets.find(([name]) => serverName !== undefined && name.test(serverName)) ?? [];
    if (allowed !== undefined) this.#preset = Math.max(1, Math.floor(allowed * (1 - ROOM)));
  }

  /** The server refused one more connection than the `held` ones. */
  refused(held: number): void {
    this.#learned.refused(held);
  }
}
