import { createPool, type Pool } from 'generic-pool';
import type { ImapConnection } from '../../imap/connection/connection.js';
import type { Current } from '../../runtime/live.js';
import type { PoolLimits } from '../pool-limits.js';

/** The slots count connections, not the pool: the caps may change, a pool's own bound cannot. */
const UNBOUNDED = 1_000_000;

/**
 * An account's connections in a generic-pool. Connections are made outside and adopted once they are logged in, because
 * generic-pool retries a failing `create` at once, without end, and never rejects the waiting `acquire`. So `create`
 * only hands over a connection that exists, and nothing in the factory rejects.
 */
export class ConnectionPool {
  readonly #pool: Pool<ImapConnection>;
  #idle = new Map<ImapConnection, { since: number }>();
  /** The connection that is being adopted. */
  #made: ImapConnection | undefined;
  readonly #limits: Current<Pick<PoolLimits, 'logoutMs'>>;
  #turn: Promise<void> = Promise.resolve();

  constructor(limits: Current<Pick<PoolLimits, 'logoutMs'>>) {
    this.#limits = limits;
    this.#pool = createPool<ImapConnection>(
      { create: async () => this.#takeMade(), destroy: (connection) => connection.logout(limits.now.logoutMs) },
      // The connection that was used last comes first: it is wanted most often.
      { min: 0, max: UNBOUNDED, fifo: false, testOnBorrow: false, evictionRunIntervalMillis: 0 },
    );
  }

  /** Idle connections, the longest idle first. */
  get idle(): ImapConnection[] {
    return [...this.#idle.keys()];
  }

  /** `performance.now()` when an idle connection was given back. */
  idleSince(connection: ImapConnection): number | undefined {
    return this.#idle.get(connection)?.since;
  }

  /** Milliseconds since the connection was given back. */
  idleFor(connection: ImapConnection): number {
    const entry = this.#idle.get(connection);
    return entry ? performance.now() - entry.since : 0;
  }

  /** Adds a new connection to the pool, lent to the caller. */
  adopt(connection: ImapConnection): Promise<void> {
    return this.#inTurn(() => {
      // The pool lends all its idle connections before it calls `create`.
      this.#made = connection;
      return this.#lend(connection);
    });
  }

  /** Lends an idle connection; from this moment on the connection is not idle any more. */
  async borrow(connection: ImapConnection): Promise<void> {
    if (!this.#idle.delete(connection)) throw new Error('A connection was to be borrowed that is not idle.');
    await this.#inTurn(() => this.#lend(connection));
  }

  /**
   * Gives a lent connection back.
   * @param since `performance.now()` when the connection was last used; default: now
   */
  async release(connection: ImapConnection, since?: number): Promise<void> {
    await this.#inTurn(() => this.#pool.release(connection));
    this.#idle.set(connection, { since: since ?? performance.now() });
    if (since !== undefined) this.#idle = new Map([...this.#idle].sort(([, a], [, b]) => a.since - b.since));
  }

  /** Ends a lent connection: with LOGOUT if the server answers, else by closing the socket. Resolves after that. */
  async discard(connection: ImapConnection): Promise<void> {
    await this.#pool.destroy(connection);
    // generic-pool does not wait for the factory's `destroy`.
    await connection.logout(this.#limits.now.logoutMs);
  }

  /** The pool chooses by itself: connections that it lends before the wanted one are given back. */
  async #lend(wanted: ImapConnection): Promise<void> {
    const others: ImapConnection[] = [];
    for (let lent = await this.#pool.acquire(); lent !== wanted; lent = await this.#pool.acquire()) others.push(lent);
    for (const other of others.reverse()) await this.#pool.release(other);
  }

  /** One change at a time: two at once would get each other's connections. */
  #inTurn(change: () => Promise<void>): Promise<void> {
    const done = this.#turn.then(change);
    this.#turn = done.catch(() => {});
    return done;
  }

  #takeMade(): ImapConnection {
    const connection = this.#made;
    this.#made = undefined;
    if (!connection) throw new Error('The pool asked for a connection that was never made.');
    return connection;
  }
}
