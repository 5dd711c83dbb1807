import type { ImapConnection } from '../connection/connection.js';
import { isRefusal } from './mailbox-status.js';

/** Timeout in milliseconds for the server to begin and to end an IDLE. */
const ANSWER_MS = 10_000;

/** An IDLE under way (RFC 2177): the server reports changes, which go to the follower of the connection. */
export interface Idle {
  /**
   * Ends the IDLE. `DONE` and the barrier of {@link ImapConnection.refresh} are sent in one packet: on Dovecot the end
   * of an IDLE alone does not deliver pending changes.
   * @returns false where the server has ended the IDLE by itself already; then the barrier is already sent
   */
  stop(): boolean;
  /**
   * Resolves when the server has answered the barrier as well, even where it ended the IDLE by itself: then it has
   * reported all changes up to the barrier, unless the connection is troubled.
   * @returns when the barrier was sent, by `performance.now()` and by `Date.now()`
   * @throws BrokerError CONNECTION_LOST, or IMAP_NO where the server refuses
   */
  ended: Promise<{ at: number; date: number }>;
}

/** Whether the server supports IDLE. */
export function canIdle(connection: ImapConnection): boolean {
  return connection.has('IDLE') || connection.has('IMAP4rev2');
}

/** Begins an IDLE on the selected folder. No other command may be sent before it has ended. */
export function beginIdle(connection: ImapConnection): Idle {
  const idle = new IdleCommand(connection);
  return { ended: idle.run(), stop: () => idle.stop() };
}

class IdleCommand {
  readonly #connection: ImapConnection;
  #begun = false;
  #stopping = false;
  /** Whether the server has ended the IDLE. */
  #over = false;
  #refreshed: Promise<boolean> | undefined;
  #sent = { at: 0, date: 0 };
  #timer: NodeJS.Timeout | undefined;

  constructor(connection: ImapConnection) {
    this.#connection = connection;
  }

  async run(): Promise<{ at: number; date: number }> {
    this.#limit();
    try {
      await this.#connection.exec('read', 'IDLE', [], {}, { onContinue: () => this.#onBegun() });
      this.#over = true;
      this.#refreshed ??= this.#refresh();
      const sent = this.#sent;
      await this.#refreshed;
      return sent;
    } finally {
      this.#over = true;
      clearTimeout(this.#timer);
    }
  }

  stop(): boolean {
    if (this.#over) return false;
    if (!this.#stopping && this.#begun) this.#done();
    this.#stopping = true;
    return true;
  }

  #onBegun(): void {
    // The first continuation request begins the IDLE; further ones of a flooding server are ignored.
    if (this.#begun) return;
    this.#begun = true;
    clearTimeout(this.#timer);
    // DONE must not be sent before: Cyrus would wait for ever for a DONE that came together with the IDLE.
    if (this.#stopping) this.#done();
  }

  #done(): void {
    this.#note();
    this.#refreshed = this.#connection.behindIdle(() => this.#connection.refresh());
    // Awaited by `run`, unless the IDLE itself fails.
    this.#refreshed.catch(() => {});
  }

  #refresh(): Promise<boolean> {
    this.#note();
    return this.#connection.refresh();
  }

  #note(): void {
    this.#limit();
    this.#sent = { at: performance.now(), date: Date.now() };
  }

  #limit(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#connection.close(), ANSWER_MS);
  }
}

/** Whether the server refused the IDLE; false if the connection ended. */
export function isIdleRefused(error: unknown, connection: ImapConnection): boolean {
  return connection.usable && isRefusal(error);
}
