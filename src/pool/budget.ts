import type { ImapReply } from '../protocol/errors.js';
import { BrokerError } from '../protocol/errors.js';

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
const tooMany = /too many|simultaneous|maximum (number of )?connections|connection limit/i;

/** How many connections an account may have: what is configured, what the server is known to allow, what it said. */
export class Budget {
  readonly #most: () => number;
  #preset = Number.POSITIVE_INFINITY;
  #learned = Number.POSITIVE_INFINITY;
  #learnedAt = 0;

  /** @param most connections that the configuration allows */
  constructor(most: () => number) {
    this.#most = most;
  }

  get limit(): number {
    const climbed = Math.floor((performance.now() - this.#learnedAt) / CLIMB_MS);
    return Math.min(this.#most(), this.#preset, this.#learned + climbed);
  }

  /** What the server calls itself, once it has said so. */
  recognise(serverName: string | undefined): void {
    const [, allowed] = presets.find(([name]) => serverName !== undefined && name.test(serverName)) ?? [];
    if (allowed !== undefined) this.#preset = Math.max(1, Math.floor(allowed * (1 - ROOM)));
  }

  /** The server refused one more than so many. */
  refused(held: number): void {
    this.#learned = Math.max(1, held);
    this.#learnedAt = performance.now();
  }
}

/** Whether a server says that a user has too many connections: true of what is there, not of the credentials. */
export function saysTooMany(error: unknown): boolean {
  const imap: ImapReply | undefined = error instanceof BrokerError ? error.imap : undefined;
  return imap !== undefined && (imap.code?.toUpperCase() === 'LIMIT' || tooMany.test(imap.text));
}
