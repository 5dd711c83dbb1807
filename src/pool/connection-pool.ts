import type { Pool as GenericPool } from 'generic-pool';
import DefaultEvictor from 'generic-pool/lib/DefaultEvictor.js';
import Pool from 'generic-pool/lib/Pool.js';
import PriorityQueue from 'generic-pool/lib/PriorityQueue.js';
import type { ImapConnection } from '../imap/connection/connection.js';
import { preferringDeque } from './preferring-deque.js';
import type { PoolLimits } from './supply/slots.js';

/** The slots count connections, not the pool: the caps may change, a pool's own bound cannot. */
const UNBOUNDED = 1_000_000;

/**
 * An account's connections in a generic-pool. Connections are made outside and adopted once they are logged in, because
 * generic-pool retries a failing `create` at once, without end, and never rejects the waiting `acquire`. So `create`
 * only hands over a connection that exists, and nothing in the factory rejects.
 */
export class ConnectionPool {
  readonly #pool: GenericPool<ImapConnection>;
  #idle = new Map<ImapConnection, { since: number }>();
  readonly #prepared: ImapConnection[] = [];
  readonly #limits: Pick<PoolLimits, 'logoutMs'>;
  #wanted: ImapConnection | undefined;
  #turn: Promise<void> = Promise.resolve();

  constructor(limits: Pick<PoolLimits, 'logoutMs'>) {
    this.#limits = limits;
    this.#pool = new Pool<ImapConnection>(
      DefaultEvictor,
      preferringDeque<ImapConnection>(() => this.#wanted),
      PriorityQueue,
      { create: async () => this.#takePrepared(), destroy: (connection) => connection.logout(limits.logoutMs) },
      { min: 0, max: UNBOUNDED, testOnBorrow: false, evictionRunIntervalMillis: 0 },
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
    return this.#inTurn(async () => {
      this.#prepared.push(connection);
      // The pool lends idle connections before it calls `create`, so the idle ones are borrowed until then.
      const held: ImapConnection[] = [];
      let lent = await this.#pool.acquire();
      while (lent !== connection) {
        held.push(lent);
        lent = await this.#pool.acquire();
      }
      for (const other of held) await this.#pool.release(other);
    });
  }

  /** Lends an idle connection; from this moment on the connection is not idle any more. */
  borrow(connection: ImapConnection): Promise<void> {
    this.#idle.delete(connection);
    return this.#inTurn(async () => {
      this.#wanted = connection;
      const lent = await this.#pool.acquire();
      this.#wanted = undefined;
      if (lent !== connection) throw new Error('The pool lent another connection than the chosen one.');
    });
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
    await connection.logout(this.#limits.logoutMs);
  }

  /** One change at a time: a loan in the middle of an adoption would get the wrong connection. */
  #inTurn(change: () => Promise<void>): Promise<void> {
    const done = this.#turn.then(change);
    this.#turn = done.catch(() => {});
    return done;
  }

  #takePrepared(): ImapConnection {
    const connection = this.#prepared.shift();
    if (!connection) throw new Error('The pool asked for a connection that was never made.');
    return connection;
  }
}
