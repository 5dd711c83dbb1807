import type { ImapConnection } from '../imap/connection/connection.js';
import { closedError } from './account-errors.js';
import type { Job } from './job.js';
import type { ConnectionPool } from './lease/connection-pool.js';
import type { Loan } from './lease/loan.js';
import type { Loans } from './lease/loans.js';
import { Patience } from './lease/patience.js';
import type { Stoppers } from './lease/stoppers.js';
import { answers } from './lease/validate.js';
import type { Ending } from './observe/pool-events.js';
import type { Place, WaitQueue } from './queue/wait-queue.js';
import type { SuppliedConnections } from './supply/supplied-connections.js';

/** A connection that has been silent for longer is checked with a NOOP before it is lent: it may be half-open. */
const TRUST_MS = 30_000;
/** The same for a job whose first command may take long: the silence would not show a half-open connection. */
const TRUST_SLOW_MS = 5_000;
/** Milliseconds without an answer after which the other idle connections are checked as well. */
const DOUBT_MS = 300;

export interface LendingOptions {
  pool: ConnectionPool;
  loans: Loans;
  supplied: SuppliedConnections;
  queue: WaitQueue;
  stoppers: Stoppers;
  /** Whether a free connection must be ended: see `AccountHost.mustYield`. */
  mustYield(): boolean;
  /** Whether the connection is too old to be lent again. */
  mustRetire(connection: ImapConnection): boolean;
  /** A connection is free, or a watch that was asked for its connection is overdue: jobs may take any other now. */
  onChange(): void;
  /** The server ended a connection that was not on loan. */
  onBroken(connection: ImapConnection): void;
  /** A connection broke, or the server ended it. */
  onLost(connection: ImapConnection): void;
  /** A connection is gone: its slot can be freed. */
  onGone(why: Ending): void;
}

/** How an account's connections are lent, come back and end. */
export class Lending {
  readonly #options: LendingOptions;
  /** When a connection was last lost: connections that have been idle since before must prove that they live. */
  #doubtedAt = 0;
  /** `performance.now()` when a connection last proved that it lives. */
  readonly #proofs = new WeakMap<ImapConnection, number>();
  readonly #patience = new Patience();
  #closing = false;

  constructor(options: LendingOptions) {
    this.#options = options;
  }

  /** Whether a connection is being ended, or a watch was asked to give its up to be ended: a slot becomes free soon. */
  get ending(): boolean {
    return (
      this.#options.supplied.leaving > 0 || this.#options.loans.watches.some(({ leaving }) => leaving !== undefined)
    );
  }

  /** `performance.now()` since when some connection has been idle or lent to a watch; `undefined` when none is. */
  get unneededSince(): number | undefined {
    const since = Math.min(this.#idleSince, this.#options.loans.oldestWatch?.since ?? Number.POSITIVE_INFINITY);
    return since === Number.POSITIVE_INFINITY ? undefined : since;
  }

  get #idleSince(): number {
    const { pool } = this.#options;
    const [first] = pool.idle;
    return (first && pool.idleSince(first)) ?? Number.POSITIVE_INFINITY;
  }

  /** A connection was lost: the cause, a restart for instance, may have ended idle connections as well. */
  doubt(): void {
    this.#doubtedAt = performance.now();
  }

  /** Adds a new connection to the pool. */
  async take(connection: ImapConnection, loginMs: number): Promise<void> {
    const { pool, loans, onBroken } = this.#options;
    loans.noteLogin(connection, loginMs);
    await pool.adopt(connection);
    if (!connection.usable) onBroken(connection);
    connection.onClose(() => {
      if (connection.silent) this.#doubtOthers(connection);
      if (!pool.idle.includes(connection)) return;
      onBroken(connection);
      void this.#endIdle(connection, 'discarded');
    });
    await this.giveBack(connection, connection.usable);
  }

  /** Lends an idle connection to a job that has left the queue; where the connection is dead, the job rejoins it. */
  async lend(place: Place, connection: ImapConnection): Promise<void> {
    const { pool, loans, queue } = this.#options;
    const loan = loans.begin(connection, place.job.lane);
    await pool.borrow(connection);
    connection.patienceMs = this.#patience.ms;
    // A repeated job trusts no connection but a new one, which has just logged in.
    const trusted = this.#trusts(connection, place.job) && (!place.job.repeated || loan.isFirst);
    const alive = connection.usable && (trusted || (await this.#answers(connection)));
    if (this.#closing) place.reject(closedError());
    if (alive && place.resolve(loan)) return;
    if (!place.settled) queue.rejoin(place);
    await this.giveBack(connection, alive, loan);
  }

  /** Returns a connection to the pool, or ends it. @param loan the loan that ends; omitted for a new connection */
  async giveBack(connection: ImapConnection, reusable: boolean, loan?: Loan): Promise<void> {
    const { pool, loans, mustYield, onChange } = this.#options;
    if (loan) loans.end(loan);
    if (!reusable) connection.close();
    const why = this.#whyEnd(connection, reusable, loan);
    if (why) {
      // The job that had the connection need not wait for the LOGOUT.
      void this.#end(connection, why);
      return;
    }
    this.#proofs.set(connection, performance.now());
    await pool.release(connection);
    // Meanwhile the connection may have ended, or another account may need the slot: neither saw it as busy or idle.
    if (!connection.usable && pool.idle.includes(connection)) void this.#endIdle(connection, 'discarded');
    onChange();
    if (pool.idle.length > 0 && mustYield()) void this.evict();
  }

  /** Asks a watch for its connection; when the watch is overdue, waiting jobs may take any other. */
  ask(loan: Loan): void {
    loan.ask(this.#options.onChange);
  }

  /** Ends a connection that is idle, or asks the watch that has it to give it up; other work is not disturbed. */
  leave(connection: ImapConnection, why: Ending): void {
    if (this.#options.pool.idle.includes(connection)) void this.#endIdle(connection, why);
    const loan = this.#options.loans.watchOn(connection);
    if (!loan) return;
    loan.leaving = why;
    this.ask(loan);
  }

  /** Ends the connection that has been idle or lent to a watch for the longest time, so that its slot becomes free. */
  async evict(): Promise<void> {
    const { pool, loans } = this.#options;
    const watch = loans.oldestWatch;
    const [oldest] = pool.idle;
    if (watch && watch.since < this.#idleSince) {
      this.leave(watch.connection, 'evicted');
      await new Promise<void>((resolve) => watch.connection.onClose(resolve));
    } else if (oldest) {
      await this.#endIdle(oldest, 'evicted');
    }
  }

  /** Ends idle connections, at most `surplus`. */
  shrink(surplus: number): void {
    for (const connection of this.#options.pool.idle.slice(0, Math.max(0, surplus)))
      void this.#endIdle(connection, 'evicted');
  }

  /** Ends connections that were idle for too long or are too old. */
  sweep(idleMs: number): void {
    const { pool, loans, mustRetire } = this.#options;
    for (const connection of pool.idle) {
      const unused = pool.idleFor(connection) > idleMs;
      if (unused || mustRetire(connection)) void this.#endIdle(connection, unused ? 'reaped' : 'retired');
    }
    for (const { connection, leaving } of loans.watches) {
      if (!leaving && mustRetire(connection)) this.leave(connection, 'retired');
    }
  }

  /** Ends all existing connections: idle ones now, the others after their current work. */
  vacate(why: Ending): void {
    const { pool, loans } = this.#options;
    for (const connection of pool.idle) void this.#endIdle(connection, why);
    for (const loan of loans.all) loan.leaving = why;
    for (const loan of loans.watches) this.ask(loan);
  }

  /** Ends idle connections now; the others end when they are given back. */
  close(): void {
    this.#closing = true;
    this.vacate('closed');
  }

  #trusts(connection: ImapConnection, { mailbox, prefers }: Job): boolean {
    const provenAt = this.#proofs.get(connection) ?? Number.NEGATIVE_INFINITY;
    // A job on its selected folder begins with a NOOP, with the connection's own timeout.
    const barrier = (mailbox !== undefined && connection.selected?.path === mailbox) || prefers?.(connection) === true;
    const trustMs = barrier ? TRUST_MS : TRUST_SLOW_MS;
    return performance.now() - provenAt < trustMs && provenAt > this.#doubtedAt;
  }

  async #answers(connection: ImapConnection): Promise<boolean> {
    const { stoppers } = this.#options;
    const stopper = stoppers.begin();
    const slow = { afterMs: DOUBT_MS, tell: () => this.#askIdle(performance.now() - TRUST_SLOW_MS) };
    try {
      return await answers(connection, { signal: stopper.signal, withinMs: this.#patience.ms, slow });
    } finally {
      stoppers.end(stopper);
    }
  }

  /** A connection was silent for too long: the cause may have cut off the others as well. */
  #doubtOthers(silent: ImapConnection): void {
    this.#patience.gaveUp(silent);
    this.doubt();
    this.#askIdle(this.#doubtedAt);
  }

  /** Checks all idle connections at once, except those that proved after `before` that they live. */
  #askIdle(before: number): void {
    if (this.#closing) return;
    for (const connection of this.#options.pool.idle) {
      if ((this.#proofs.get(connection) ?? 0) <= before) void this.#askOne(connection);
    }
  }

  /** Checks that an idle connection lives; the check is no use of the connection: its idle time goes on. */
  async #askOne(connection: ImapConnection): Promise<void> {
    const { pool, loans, onChange } = this.#options;
    const since = pool.idleSince(connection);
    const loan = loans.begin(connection);
    await pool.borrow(connection);
    const alive = connection.usable && (await this.#answers(connection));
    if (!alive || this.#whyEnd(connection, alive, loan)) return this.giveBack(connection, alive, loan);
    loans.end(loan);
    this.#proofs.set(connection, performance.now());
    await pool.release(connection, since);
    if (!connection.usable && pool.idle.includes(connection)) void this.#endIdle(connection, 'discarded');
    onChange();
  }

  /** Why a connection that is given back is ended; undefined when it is kept. */
  #whyEnd(connection: ImapConnection, reusable: boolean, loan: Loan | undefined): Ending | undefined {
    if (!reusable) return 'discarded';
    if (this.#closing) return 'closed';
    if (loan?.leaving) return loan.leaving;
    if (this.#options.mustYield()) return 'evicted';
    return this.#options.mustRetire(connection) ? 'retired' : undefined;
  }

  async #endIdle(connection: ImapConnection, why: Ending): Promise<void> {
    const gone = this.#options.supplied.beginLeaving(connection);
    await this.#options.pool.borrow(connection);
    await this.#discard(connection, why, gone);
  }

  async #end(connection: ImapConnection, why: Ending): Promise<void> {
    await this.#discard(connection, why, this.#options.supplied.beginLeaving(connection));
  }

  async #discard(connection: ImapConnection, why: Ending, gone: () => void): Promise<void> {
    if (why === 'discarded') this.#options.onLost(connection);
    await this.#options.pool.discard(connection);
    gone();
    this.#options.onGone(why);
  }
}
