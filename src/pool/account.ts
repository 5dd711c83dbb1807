import type { ImapConnection } from '../imap/connection.js';
import type { Credentials, ServerOptions } from '../imap/server-options.js';
import { BrokerError } from '../protocol/errors.js';
import { closedError, refusedError, saysNoMore } from './account-errors.js';
import type { AccountHost, AccountStats } from './account-host.js';
import { ConnectionPool } from './connection-pool.js';
import { Holding } from './holding.js';
import type { Job, Work } from './job.js';
import { type Loan, workOn } from './loan.js';
import { Loans } from './loans.js';
import { Logins } from './logins.js';
import { NewestInSlot } from './newest-in-slot.js';
import { Retirement } from './retirement.js';
import { Scheduler } from './scheduler.js';
import type { Shared } from './shared-job.js';
import { SharedJobs } from './shared-jobs.js';
import type { Stopper } from './stopper.js';
import { Stoppers } from './stoppers.js';
import { answers } from './validate.js';
import { type Place, WaitQueue } from './wait-queue.js';

/** An idle connection older than this is asked with a NOOP before it is lent: it may be half-open. */
const TRUST_IDLE_MS = 30_000;

/** (tenant, server, user): owns one pool and the queue before it. */
export class Account {
  readonly key: string;
  readonly server: ServerOptions;
  readonly user: string;
  readonly #host: AccountHost;
  readonly #pool: ConnectionPool;
  readonly #queue: WaitQueue;
  readonly #holding: Holding;
  readonly #loans = new Loans();
  readonly #stoppers = new Stoppers();
  readonly #logins: Logins;
  readonly #retirement: Retirement;
  readonly #scheduler: Scheduler;
  readonly #slots = new NewestInSlot();
  readonly #shared: SharedJobs;
  #ending = 0;
  /** When a connection was lost for the last time: those that are idle since before must prove that they live. */
  #doubtedAt = 0;
  #closing = false;
  #onQuiet: (() => void) | undefined;

  constructor(key: string, server: ServerOptions, user: string, host: AccountHost) {
    this.key = key;
    this.server = server;
    this.user = user;
    this.#host = host;
    const { connectionsPerAccount, logoutMs, maxAgeMs } = host.limits;
    this.#queue = new WaitQueue(host.limits);
    this.#holding = new Holding(key, server, host);
    this.#pool = new ConnectionPool(connectionsPerAccount, logoutMs);
    this.#shared = new SharedJobs((job, work) => this.run(job, work), this.#slots);
    this.#logins = new Logins({
      holding: this.#holding,
      queue: this.#queue,
      stoppers: this.#stoppers,
      onMade: (connection, loginMs) => this.#take(connection, loginMs),
      onFailed: () => this.#giveSlot(),
      onResume: () => this.wake(),
      onRefused: (credentials) => host.refused(key, credentials),
    });
    this.#retirement = new Retirement(
      maxAgeMs,
      this.#holding,
      () => this.#logins.supply(),
      (connection) => this.#leave(connection),
    );
    this.#scheduler = new Scheduler(
      {
        queue: this.#queue,
        pool: this.#pool,
        loans: this.#loans,
        holding: this.#holding,
        paused: () => this.#logins.paused,
        ending: () => this.#ending > 0 || this.#loans.watches.some(({ leaving }) => leaving),
      },
      {
        lend: (place, connection) => void this.#lend(place, connection),
        supply: () => void this.#logins.supply(),
        evict: () => void this.evictIdle(),
        ask: (loan) => this.#ask(loan),
        needsRoom: (full) => host.needsRoom(this, full),
        hopesForRoom: () => host.hopesForRoom(this),
        giveSlot: () => this.#giveSlot(),
      },
    );
  }

  get stats(): AccountStats {
    const idle = this.#pool.idle.length;
    const watching = this.#loans.count('watch');
    return {
      idle,
      busy: this.#holding.connections.size - idle - watching,
      watching,
      connecting: this.#holding.connecting,
      waiting: this.#queue.length,
    };
  }

  /** Whether a login succeeded here, and none with the same credentials was refused since. */
  get proven(): boolean {
    return this.#logins.credentials !== undefined;
  }

  /** Connections that it may have at once, as far as is known by now. */
  get budget(): number {
    return this.#holding.budget.limit;
  }

  /** Milliseconds that the longest waiting job has waited; `undefined` when nobody waits but watches. */
  get longestWaitMs(): number | undefined {
    return this.#queue.longestWaitMs;
  }

  /** Milliseconds that the longest idle connection has been so, or lent to a watch; `undefined` when none is. */
  get longestIdleMs(): number | undefined {
    const since = Math.min(this.#idleSince, this.#loans.oldestWatch?.since ?? Number.POSITIVE_INFINITY);
    return since === Number.POSITIVE_INFINITY ? undefined : performance.now() - since;
  }

  get #idleSince(): number {
    const [first] = this.#pool.idle;
    return first ? performance.now() - this.#pool.idleFor(first) : Number.POSITIVE_INFINITY;
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
      // A repeated one has begun before: nothing newer takes its place.
      const slot = attempt === 1 ? job.slot : undefined;
      const loan = await (slot === undefined
        ? this.#wait('loan', current).promise
        : this.#slots.wait(slot, () => this.#wait('loan', job)));
      if (!loan) throw new Error('A loan without a connection.');
      const stopper = this.#begin(loan, current, since);
      const outcome = await workOn(loan, stopper, work);
      this.#finish(loan, current, stopper);
      await this.#giveBack(loan.connection, outcome.reusable, loan);
      if (outcome.ok) return outcome.value;
      const lost = outcome.error instanceof BrokerError && outcome.error.kind === 'CONNECTION_LOST';
      // What ended this one, a restart for instance, may have ended those that are idle as well.
      if (lost) this.#doubtedAt = performance.now();
      if (attempt > 1 || job.effect !== 'read' || outcome.wrote || !lost) throw outcome.error;
      // The work may have moved it.
      current = { ...job, deadlineAt: stopper.deadlineAt };
    }
  }

  /**
   * Runs a read once for all who ask for the same, by `key`, before its work begins; with `maxAgeMs` also for those who
   * ask at most so long after it began, unless a write of the account began or ended since. Each of them leaves by its
   * own signal or deadline; the work goes on for the rest.
   * @throws what {@link run} throws
   */
  share<T>(key: string, job: Job, work: Work<T>, options: { maxAgeMs: number }): Promise<Shared<T>> {
    return this.#shared.join(key, job, work, options.maxAgeMs);
  }

  /**
   * Proves credentials by a login of its own, within the caps. On success they are the account's from now on and the
   * connection joins the pool; on failure those who are in are not disturbed.
   */
  async prove(credentials: Credentials, job: Job): Promise<void> {
    const login = async () => {
      await this.#wait('slot', job).promise;
      return this.#logins.prove(credentials, job);
    };
    const connection = await login().catch(async (error: unknown) => {
      // The server counts what is idle here against the user's limit.
      if (!saysNoMore(error) || this.longestIdleMs === undefined) throw error;
      await this.evictIdle();
      return login();
    });
    this.#logins.credentials = credentials;
    await this.#take(connection, 0);
    if (this.#closing) throw closedError();
  }

  /** Takes credentials that were proven elsewhere, unless it has some. */
  trust(credentials: Credentials): void {
    this.#logins.credentials ??= credentials;
  }

  /** Ends the connection that is idle, or lent to a watch, for the longest, so that its slot becomes free. */
  async evictIdle(): Promise<void> {
    const watch = this.#loans.oldestWatch;
    const [oldest] = this.#pool.idle;
    if (!watch || watch.since > this.#idleSince) {
      if (oldest) await this.#endIdle(oldest);
      return;
    }
    this.#leave(watch.connection);
    await new Promise<void>((resolve) => watch.connection.onClose(resolve));
  }

  /** Ends connections that were idle for too long or are too old. */
  sweep(): void {
    const { idleMs } = this.#host.limits;
    for (const connection of this.#pool.idle) {
      if (this.#pool.idleFor(connection) > idleMs || this.#mustRetire(connection)) void this.#endIdle(connection);
    }
    for (const { connection, leaving } of this.#loans.watches) {
      if (!leaving && this.#mustRetire(connection)) this.#leave(connection);
    }
  }

  /** Tries again what waits for a slot. */
  wake(): void {
    if (!this.#closing) this.#scheduler.run();
  }

  /** Takes no new work, lets running work finish within the grace, logs out everywhere. Always resolves. */
  async close(graceMs: number): Promise<void> {
    this.#closing = true;
    this.#queue.rejectAll(closedError());
    this.#logins.close();
    for (const connection of this.#pool.idle) void this.#endIdle(connection);
    for (const { connection } of this.#loans.watches) this.#leave(connection);
    await this.#quiet(graceMs);
    this.#stoppers.stop(closedError());
    // Each ends by itself within this time: see `logoutMs`.
    await this.#quiet(this.#host.limits.logoutMs + 1_000);
  }

  /** The work of a job begins, which waited since then. */
  #begin({ connection, loginMs }: Loan, job: Job, since: number): Stopper {
    job.trace?.begin(connection, performance.now() - since, loginMs);
    connection.trace = job.trace;
    if (job.effect === 'write') this.#shared.fence();
    return this.#stoppers.begin(job);
  }

  #finish({ connection }: Loan, job: Job, stopper: Stopper): void {
    this.#stoppers.end(stopper);
    if (job.effect === 'write') this.#shared.fence();
    connection.trace = undefined;
    job.trace?.end();
  }

  /** @throws BrokerError DRAINING, IMAP_AUTH_FAILED or POOL_EXHAUSTED when there is nothing to wait for */
  #wait(wants: Place['wants'], job: Job): Place {
    if (this.#closing) throw closedError();
    if (wants === 'loan' && !this.proven) throw refusedError();
    const place = this.#queue.join(wants, job);
    this.wake();
    return place;
  }

  async #lend(place: Place, connection: ImapConnection): Promise<void> {
    const idleMs = this.#pool.idleFor(connection);
    const loan = this.#loans.begin(connection, place.job.lane);
    await this.#pool.borrow(connection);
    const trusted = idleMs < TRUST_IDLE_MS && performance.now() - idleMs > this.#doubtedAt;
    const alive = connection.usable && (trusted || (await this.#answers(connection)));
    if (this.#closing) place.reject(closedError());
    if (alive && place.resolve(loan)) return;
    if (!place.settled) this.#queue.rejoin(place);
    await this.#giveBack(connection, alive, loan);
  }

  async #answers(connection: ImapConnection): Promise<boolean> {
    const stopper = this.#stoppers.begin();
    try {
      return await answers(connection, stopper.signal);
    } finally {
      this.#stoppers.end(stopper);
    }
  }

  /** Asks a watch for its connection; when it takes its time, others need not wait for that. */
  #ask(loan: Loan): void {
    loan.ask(() => this.wake());
  }

  async #take(connection: ImapConnection, loginMs: number): Promise<void> {
    this.#loans.noteLogin(connection, loginMs);
    await this.#pool.adopt(connection);
    connection.onClose(() => {
      if (this.#pool.idle.includes(connection)) void this.#endIdle(connection);
    });
    await this.#giveBack(connection, connection.usable);
  }

  async #giveBack(connection: ImapConnection, reusable: boolean, loan?: Loan): Promise<void> {
    if (loan) this.#loans.end(loan);
    if (!reusable) connection.close();
    if (!reusable || this.#closing || loan?.leaving || this.#host.mustYield(this) || this.#mustRetire(connection)) {
      // Whoever had it need not wait for the LOGOUT.
      void this.#end(connection);
      // Somebody may have waited for just this one.
      this.wake();
      return;
    }
    await this.#pool.release(connection);
    // It may have ended in between, or somebody asked for room while it was neither busy nor idle.
    if (!connection.usable && this.#pool.idle.includes(connection)) void this.#endIdle(connection);
    this.wake();
    if (this.#pool.idle.length > 0 && this.#host.mustYield(this)) void this.evictIdle();
  }

  #mustRetire(connection: ImapConnection): boolean {
    return this.#retirement.isDue(connection, this.#logins.credentials);
  }

  /** Ends a connection as soon as nobody works on it; a watch gives it up for that. */
  #leave(connection: ImapConnection): void {
    if (this.#pool.idle.includes(connection)) void this.#endIdle(connection);
    const loan = this.#loans.watchOn(connection);
    if (!loan) return;
    loan.leaving = true;
    this.#ask(loan);
  }

  async #endIdle(connection: ImapConnection): Promise<void> {
    this.#ending += 1;
    await this.#pool.borrow(connection);
    this.#ending -= 1;
    await this.#end(connection);
  }

  async #end(connection: ImapConnection): Promise<void> {
    this.#ending += 1;
    await this.#pool.discard(connection);
    this.#ending -= 1;
    this.#holding.connections.delete(connection);
    this.#giveSlot();
  }

  #giveSlot(): void {
    this.#holding.giveSlot();
    this.#host.slotFreed(this);
    this.wake();
    if (this.#isQuiet) this.#onQuiet?.();
  }

  get #isQuiet(): boolean {
    return this.#holding.size === 0;
  }

  async #quiet(timeoutMs: number): Promise<void> {
    if (this.#isQuiet) return;
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      this.#onQuiet = resolve;
      timer = setTimeout(resolve, timeoutMs);
    });
    clearTimeout(timer);
  }
}
