import type { ImapConnection } from '../imap/connection/connection.js';
import type { Credentials, ServerOptions } from '../imap/login/server-options.js';
import { BrokerError } from '../protocol/errors.js';
import { atMost } from '../runtime/wait.js';
import { closedError, refusedError, saysFull, saysTooMany } from './account-errors.js';
import type { AccountHost, AccountStats, ConnectionFacts } from './account-host.js';
import type { Job, Work } from './job.js';
import { ConnectionPool } from './lease/connection-pool.js';
import { type Loan, workOn } from './lease/loan.js';
import { Loans } from './lease/loans.js';
import type { Stopper } from './lease/stopper.js';
import { Stoppers } from './lease/stoppers.js';
import { Lending } from './lending.js';
import type { Ending } from './observe/pool-events.js';
import { NewestInSlot } from './queue/newest-in-slot.js';
import { type Place, WaitQueue } from './queue/wait-queue.js';
import { Scheduler } from './scheduler.js';
import type { Shared } from './share/shared-job.js';
import { SharedJobs } from './share/shared-jobs.js';
import { Logins } from './supply/logins.js';
import { Retirement } from './supply/retirement.js';
import { SuppliedConnections } from './supply/supplied-connections.js';

/** One (tenant, server, user): owns a connection pool and the queue of jobs that wait for its connections. */
export class Account {
  readonly key: string;
  #server: ServerOptions;
  readonly user: string;
  readonly #host: AccountHost;
  readonly #pool: ConnectionPool;
  readonly #queue: WaitQueue;
  readonly #supplied: SuppliedConnections;
  readonly #loans = new Loans();
  readonly #stoppers = new Stoppers();
  readonly #logins: Logins;
  readonly #lending: Lending;
  readonly #retirement: Retirement;
  readonly #scheduler: Scheduler;
  readonly slots = new NewestInSlot();
  readonly #shared: SharedJobs;
  #closing = false;
  readonly #onQuiet = new Set<() => void>();

  constructor(key: string, server: ServerOptions, user: string, host: AccountHost) {
    this.key = key;
    this.#server = server;
    this.user = user;
    this.#host = host;
    this.#queue = new WaitQueue(host.limits);
    this.#supplied = new SuppliedConnections(key, server, host);
    this.#pool = new ConnectionPool(host.limits);
    this.#shared = new SharedJobs((job, work) => this.run(job, work), this.slots);
    this.#logins = new Logins({
      key,
      backoffs: host.backoffs,
      supplied: this.#supplied,
      queue: this.#queue,
      stoppers: this.#stoppers,
      onMade: (connection, loginMs) => this.#lending.take(connection, loginMs),
      onFailed: () => this.#giveSlot(),
      onResume: () => this.wake(),
      onRefused: (credentials) => host.refused(key, credentials),
      onDoubted: (credentials) => host.doubted(key, credentials),
    });
    this.#retirement = new Retirement(
      host.limits,
      this.#supplied,
      () => this.#logins.supply(),
      (connection) => this.#lending.leave(connection, 'retired'),
    );
    this.#lending = new Lending({
      pool: this.#pool,
      loans: this.#loans,
      supplied: this.#supplied,
      queue: this.#queue,
      stoppers: this.#stoppers,
      mustYield: () => this.#supplied.surplus > 0 || host.mustYield(this),
      mustRetire: (connection) =>
        connection.server !== this.#server || this.#retirement.isDue(connection, this.#logins.proven.current),
      onChange: () => this.wake(),
      onBroken: (connection) => {
        // A connection that has done work was accepted, however soon the server ends idle ones.
        if (connection.served === 0) this.#broke(connection);
      },
      onLost: (connection) => this.#logins.proven.lost(connection),
      onGone: (why) => {
        host.events.endings.tell({ server: server.name, why });
        this.#giveSlot();
      },
    });
    this.#scheduler = new Scheduler(
      {
        queue: this.#queue,
        pool: this.#pool,
        loans: this.#loans,
        supplied: this.#supplied,
        paused: () => this.#logins.paused,
        ending: () => this.#lending.ending,
      },
      {
        lend: (place, connection) => void this.#lending.lend(place, connection),
        supply: () => void this.#logins.supply(),
        evict: () => void this.evictIdle(),
        ask: (loan) => this.#lending.ask(loan),
        needsRoom: (full) => host.needsRoom(this, full),
        watchNeedsRoom: () => host.watchNeedsRoom(this),
        giveSlot: () => this.#giveSlot(),
      },
    );
  }

  get server(): ServerOptions {
    return this.#server;
  }

  /** From now on connections are made to this server; existing ones end after their current work. */
  useServer(server: ServerOptions): void {
    this.#server = server;
    this.#supplied.useServer(server);
    this.vacate('retired');
  }

  get stats(): AccountStats {
    const idle = this.#pool.idle.length;
    const watching = this.#loans.count('watch');
    return {
      idle,
      busy: this.#supplied.connections.size - idle - watching,
      watching,
      connecting: this.#supplied.connecting,
      waiting: this.#queue.length,
    };
  }

  /** The account's connections, the oldest first. */
  get connections(): ReadonlySet<ImapConnection> {
    return this.#supplied.connections;
  }

  /** The state and the counters of one of the account's connections. */
  describe(connection: ImapConnection): ConnectionFacts {
    const idleSince = this.#pool.idleSince(connection);
    const inUse = this.#loans.watchOn(connection) ? ('watching' as const) : ('busy' as const);
    return {
      id: connection.id,
      state: idleSince === undefined ? inUse : 'idle',
      mailbox: connection.selected?.path ?? null,
      ageMs: Date.now() - connection.createdAt,
      idleMs: Math.round(this.#pool.idleFor(connection)),
      served: connection.served,
      sentBytes: connection.bytes.sent,
      receivedBytes: connection.bytes.received,
    };
  }

  /** Whether there are credentials that the server did not refuse. */
  get proven(): boolean {
    return this.#logins.proven.current !== undefined;
  }

  /** Whether these very credentials are proven; a proof of others does not count. */
  admits(credentials: Credentials): boolean {
    return this.#logins.proven.admits(credentials, this.connections);
  }

  /** Number of the account's connections and of its logins under way. */
  get size(): number {
    return this.#supplied.size;
  }

  /** Most connections that the account may have at once, as far as the broker knows. */
  get budget(): number {
    return this.#supplied.budget.limit;
  }

  /** Milliseconds that the longest waiting job has waited; `undefined` when only watches wait. */
  get longestWaitMs(): number | undefined {
    return this.#queue.longestWaitMs;
  }

  /** The places of the jobs that wait, in no order. */
  get waiting(): readonly Place[] {
    return this.#queue.all;
  }

  /** `performance.now()` since when some connection has been idle or lent to a watch; `undefined` when none is. */
  get unneededSince(): number | undefined {
    return this.#lending.unneededSince;
  }

  /**
   * Runs work on a leased connection. A read that loses its connection is repeated once on another.
   * @throws BrokerError POOL_EXHAUSTED, UPSTREAM_UNAVAILABLE, IMAP_AUTH_FAILED, CONNECTION_LOST, DEADLINE, SUPERSEDED,
   * the job signal's reason, or what the work throws; `executed` says whether one of its writes may have happened
   */
  async run<T>(job: Job, work: Work<T>): Promise<T> {
    let current = job;
    for (let attempt = 1; ; attempt += 1) {
      const since = performance.now();
      // A repeated job has begun before: no newer job of its slot replaces it.
      const slot = attempt === 1 ? job.slot : undefined;
      const loan = await (slot === undefined
        ? this.#wait('loan', current).promise
        : this.slots.wait(slot, () => this.#wait('loan', job)));
      if (!loan) throw new Error('A loan without a connection.');
      const stopper = this.#begin(loan, current, since);
      const outcome = await workOn(loan, stopper, work);
      this.#finish(loan, current, stopper);
      const lost = outcome.ok ? undefined : lostOf(outcome.error);
      if (lost) {
        this.#lending.doubt();
        this.#broke(loan.connection, lost);
      }
      await this.#lending.giveBack(loan.connection, outcome.reusable, loan);
      if (outcome.ok) return outcome.value;
      if (!lost || !mayRepeat(job, attempt) || outcome.wrote) throw outcome.error;
      // The work may have moved the deadline.
      current = { ...job, repeated: true, deadlineAt: stopper.deadlineAt };
    }
  }

  /**
   * Runs a read once for all requests with the same `key` that arrive before its work begins; with `maxAgeMs` also for
   * requests that arrive at most so long after it began, unless a write of the account began or ended since. Each
   * request leaves by its own signal or deadline; the work goes on for the rest.
   * @throws what {@link run} throws
   */
  share<T>(key: string, job: Job, work: Work<T>, options: { maxAgeMs: number }): Promise<Shared<T>> {
    // Only requests with the same credentials share: one whose credentials are refused must not fail the others.
    const standing = this.#logins.proven.idOf(job.credentials) ?? '';
    return this.#shared.join(`${standing} ${key}`, job, work, options.maxAgeMs);
  }

  /**
   * Proves credentials by a separate login, within the caps. On success the account uses these credentials from now on
   * and the connection joins the pool; on failure other sessions of the account are not disturbed.
   */
  async prove(credentials: Credentials, job: Job): Promise<void> {
    const { backoff } = this.#logins;
    if (backoff && (backoff.reason !== 'connections' || this.unneededSince === undefined)) throw backoff.error;
    // The server counts the broker's idle connections against the user's limit.
    if (backoff) await this.evictIdle();
    const connection = await this.#login(credentials, job).catch(async (error: unknown) => {
      const evicts = saysTooMany(error) && this.unneededSince !== undefined;
      // Where the server allows the broker no more connections, the second try waits until another one has ended.
      if (!evicts && !saysFull(error)) throw error;
      if (evicts) await this.evictIdle();
      return this.#login(credentials, job);
    });
    await this.#lending.take(connection, 0);
    if (this.#closing) throw closedError();
  }

  async #login(credentials: Credentials, job: Job): Promise<ImapConnection> {
    await this.#wait('slot', job).promise;
    return this.#logins.prove(credentials, job);
  }

  /** Takes credentials that were proven elsewhere. @param lately whether they were proven a short while ago */
  trust(credentials: Credentials, lately: boolean): void {
    this.#logins.proven.trust(credentials, lately);
  }

  /** Ends the connection that has been idle or lent to a watch for the longest time, so that its slot becomes free. */
  evictIdle(): Promise<void> {
    return this.#lending.evict();
  }

  /** Ends connections that were idle for too long or are too old. */
  sweep(): void {
    this.#lending.sweep(this.#host.limits.now.idleMs);
  }

  /** Tries again to serve the jobs that wait for a connection or a slot. */
  wake(): void {
    if (!this.#closing && !this.#host.isPaused(this)) this.#scheduler.run();
  }

  /** Ends all existing connections: idle ones now, the others after their current work. */
  vacate(why: Ending): void {
    this.#lending.vacate(why);
  }

  /** Ends all existing connections as they become idle: no request of the account is expected here. */
  giveBack(): void {
    this.vacate('reaped');
  }

  /** Ends idle connections above the configured limit. */
  shrink(): void {
    this.#lending.shrink(this.#supplied.surplus);
  }

  /** Ends all work and all connections at once; both may begin anew. @returns number of requests ended */
  kick(reason: BrokerError): number {
    const requests = this.#queue.length + this.#loans.count('interactive') + this.#loans.count('bulk');
    this.#queue.rejectAll(reason);
    this.#stoppers.stopPresent(reason);
    this.vacate('discarded');
    return requests;
  }

  /**
   * Takes no new work, lets running work finish within the grace, logs out everywhere. Always resolves.
   * @param reason error of the jobs that wait, and of those whose work does not finish
   */
  async close(graceMs: number, reason = closedError()): Promise<void> {
    this.#closing = true;
    this.#queue.rejectAll(reason);
    this.#logins.close();
    this.#lending.close();
    await this.quiet(graceMs);
    this.#stoppers.stop(reason);
    // Each connection ends by itself within this time: see `logoutMs`.
    await this.quiet(this.#host.limits.now.logoutMs + 1_000);
  }

  /** The work of a job begins. @param since `performance.now()` when the job began to wait */
  #begin({ connection, loginMs }: Loan, job: Job, since: number): Stopper {
    this.#host.beforeWork();
    const waitedMs = performance.now() - since;
    job.trace?.begin(connection, waitedMs, loginMs);
    const { waits } = this.#host.events;
    if (waits.any) waits.tell({ server: this.server.name, lane: job.lane ?? 'interactive', ms: waitedMs });
    connection.trace = job.trace;
    if (job.lane !== 'watch') connection.served += 1;
    if (job.effect === 'write') this.#shared.fence();
    return this.#stoppers.begin(job);
  }

  #finish({ connection }: Loan, job: Job, stopper: Stopper): void {
    this.#stoppers.end(stopper);
    if (job.effect === 'write') this.#shared.fence();
    connection.trace = undefined;
    job.trace?.end();
  }

  /**
   * @throws BrokerError DRAINING, IMAP_AUTH_FAILED, POOL_EXHAUSTED, or UPSTREAM_UNAVAILABLE when the account backs off
   * and no connection can become free
   */
  #wait(wants: Place['wants'], job: Job): Place {
    if (this.#closing) throw closedError();
    if (wants === 'loan' && !this.proven) throw refusedError();
    const { backoff } = this.#logins;
    // At the user's connection limit a wait is worthwhile: another client of the user may disconnect at any time.
    const waits = backoff?.reason === 'connections' || !this.#isQuiet;
    if (wants === 'loan' && backoff && !waits) throw backoff.error;
    const place = this.#queue.join(wants, job);
    place.obstacle = backoff?.error;
    this.wake();
    return place;
  }

  /** The server ended a connection by itself. */
  #broke(connection: ImapConnection, error?: BrokerError): void {
    // A silent connection was given up by the broker, not ended by the server.
    if (connection.silent) return;
    this.#host.backoffs.ended(this.key, connection, error);
    this.#logins.backOff();
  }

  #giveSlot(): void {
    this.#supplied.giveSlot();
    if (this.#isQuiet) this.#logins.backOff();
    this.#host.slotFreed(this);
    this.wake();
    if (this.#isQuiet) for (const listener of this.#onQuiet) listener();
  }

  get #isQuiet(): boolean {
    return this.#supplied.size === 0;
  }

  /** Resolves when the account has no connection and no login under way, or after the timeout. */
  async quiet(timeoutMs: number): Promise<void> {
    if (this.#isQuiet) return;
    let listener = () => {};
    await atMost(timeoutMs, (onQuiet) => {
      listener = onQuiet;
      this.#onQuiet.add(listener);
    });
    this.#onQuiet.delete(listener);
  }
}

/** The error of work whose connection was lost. */
function lostOf(error: unknown): BrokerError | undefined {
  return error instanceof BrokerError && error.kind === 'CONNECTION_LOST' ? error : undefined;
}

/** Whether a job is repeated on another connection. A watch is not: it retries by itself, with back-off. */
function mayRepeat({ effect, lane }: Job, attempt: number): boolean {
  return attempt === 1 && effect === 'read' && lane !== 'watch';
}
