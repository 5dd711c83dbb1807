import { LearnedLimit } from './learned-limit.js';

/** Milliseconds without a refusal after which an account may try one connection more. */
const CLIMB_MS = 300_000;
/**
 * Connections of one user that servers allow unless they were configured otherwise, by the name in their ID answer
 * (RFC 2971): Dovecot's mail_max_userip_connections, Courier's MAXPERIP, and what Gmail states.
 */
const presets: readonly [RegExp, number][] = [
  [/^dovecot/i, 10],
  [/^courier/i, 4],
  [/^gimap/i, 15],
];
/** Of what a server allows a user this share is the user's own: a phone and a mail program hold connections too. */
const ROOM = 0.2;

/** How many connections an account may have: what is configured, what the server is known to allow, what it said. */
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

  /** What the server calls itself, once it has said so. */
  recognise(serverName: string | undefined): void {
    const [, allowed] = presets.find(([name]) => serverName !== undefined && name.test(serverName)) ?? [];
    if (allowed !== undefined) this.#preset = Math.max(1, Math.floor(allowed * (1 - ROOM)));
  }

  /** The server refused one more than so many. */
  refused(held: number): void {
    this.#learned.refused(held);
  }
}
