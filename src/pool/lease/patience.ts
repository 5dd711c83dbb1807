import type { ImapConnection } from '../../imap/connection/connection.js';

/** Milliseconds that a server has to answer a NOOP before its connection is considered half-open. */
const FIRST_MS = 2_000;
const MOST_MS = 30_000;
/** Milliseconds after the last connection given up until the first timeout applies again. */
const FORGET_MS = 300_000;

/**
 * How long an account waits for the answer to a NOOP. A connection that is silent for longer is considered half-open.
 * When its successor is silent as well, the server is slow: the timeout doubles, because repeated logins would make the
 * server slower.
 */
export class Patience {
  #ms = FIRST_MS;
  /** `Date.now()` when a connection was given up for the last time. */
  #gaveUpAt: number | undefined;

  get ms(): number {
    if (this.#gaveUpAt !== undefined && Date.now() - this.#gaveUpAt > FORGET_MS) {
      this.#ms = FIRST_MS;
      this.#gaveUpAt = undefined;
    }
    return this.#ms;
  }

  /** A connection was given up because it was silent. */
  gaveUp({ createdAt }: ImapConnection): void {
    if (this.#gaveUpAt !== undefined && createdAt >= this.#gaveUpAt) this.#ms = Math.min(MOST_MS, 2 * this.ms);
    this.#gaveUpAt = Date.now();
  }
}
