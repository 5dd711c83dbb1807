import type { ImapConnection } from '../imap/connection.js';
import type { Credentials, ServerOptions } from '../imap/server-options.js';
import { BrokerError } from '../protocol/errors.js';
import { closedError, isRefusedLogin, refusedError, saysNoMore } from './account-errors.js';
import type { AccountHost, AccountStats } from './account-host.js';
import { isOld } from './age.js';
import { Budget, saysTooMany } from './budget.js';
import { ConnectionPool } from './connection-pool.js';
import type { Job, Work } from './job.js';
import { workOn } from './loan.js';
import type { Full } from './slots.js';
import { Stopper } from './stopper.js';
import { answers } from './validate.js';
import { type Place, WaitQueue } from './wait-queue.js';

/** An idle connection older than this is asked with a NOOP before it is lent: it may be half-open. */
const TRUST_IDLE_MS = 30_000;
/** Milliseconds that an account lives on the connections it has after the server refused it one more. */
const REFUSED_PAUSE_MS = 2_000;

/** (tenant, server, user): owns one pool and the queue before it. */
export class Account {
  readonly key: string;
  readonly server: ServerOptions;
  readonly user: string;
  readonly #host: AccountHost;
  readonly #pool: ConnectionPool;
  readonly #queue: WaitQueue;
  readonly #budget: Budget;
  /** All of them, from the end of the login to the end of the LOGOUT. */
  readonly #connections = new Set<ImapConnection>();
  /** Connections that are too old and have a successor, or soon will; those still wait for it. */
  readonly #replaced = new WeakSet<ImapConnection>();
  readonly #replacing = new Set<ImapConnection>();
  /** What is to be stopped when the account is closed: jobs at work and logins under way. */
  readonly #underWay = new Set<Stopper>();
  #credentials: Credentials | undefined;
  #connecting = 0;
  #ending = 0;
  /** Runs while the account is to live on the connections it has. */
  #pause: NodeJS.Timeout | undefined;
  /** When a connection was lost for the last time: those that are idle since before must prove that they live. */
  #doubtedAt = 0;
  #closing = false;
  #stopped = false;
  #onQuiet: (() => void) | undefined;

  constructor(key: string, server: ServerOptions, user: string, host: AccountHost) {
    this.key = key;
    this.server = server;
    this.user = user;
    this.#host = host;
    this.#queue = new WaitQueue(host.limits);
    this.#budget = new Budget(host.limits.connectionsPerAccount);
    this.#pool = new ConnectionPool(host.limits.connectionsPerAccount, host.limits.logoutMs);
  }

  get stats(): AccountStats {
    return {
      idle: this.#pool.idle.length,
      busy: this.#connections.size - this.#pool.idle.length,
      connecting: this.#connecting,
      waiting: this.#queue.length,
    };
  }

  /** Whether a login succeeded here, and none with the same credentials was refused since. */
  get proven(): boolean {
    return this.#credentials !== undefined;
  }

  /** Connections that it may have at once, as far as is known by now. */
  get budget(): number {
    return this.#budget.limit;
  }

  /** Milliseconds that the first in the queue has been waiting; `undefined` when nobody is. */
  get longestWaitMs(): number | undefined {
    return this.#queue.first?.waitedMs;
  }

  /** Milliseconds that the longest idle connection has been so; `undefined` when none is. */
  get longestIdleMs(): number | undefined {
    const [first] = this.#pool.idle;
    return first && this.#pool.idleFor(first);
  }

  /**
   * Runs work on a leased connection. A read that loses its connection is repeated once on another.
   * @throws BrokerError POOL_EXHAUSTED, UPSTREAM_UNAVAILABLE, IMAP_AUTH_FAILED, CONNECTION_LOST, DEADLINE, the job
   * signal's reason, or what the work throws; `executed` says whether one of its writes may have happened
   */
  async run<T>(job: Job, work: Work<T>): Promise<T> {
    let { deadlineAt } = job;
    for (let attempt = 1; ; attempt += 1) {
      const connection = await this.#wait('loan', { ...job, deadlineAt });
      if (!connection) throw new Error('A loan without a connection.');
      const stopper = this.#watch({ ...job, deadlineAt });
      const outcome = await workOn(connection, stopper, work);
      this.#underWay.delete(stopper);
      await this.#giveBack(connection, outcome.reusable);
      if (outcome.ok) return outcome.value;
      const lost = outcome.error instanceof BrokerError && outcome.error.kind === 'CONNECTION_LOST';
      // What ended this one, a restart for instance, may have ended those that are idle as well.
      if (lost) this.#doubtedAt = performance.now();
      if (attempt > 1 || job.effect !== 'read' || outcome.wrote || !lost) throw outcome.error;
      // The work may have moved it.
      deadlineAt = stopper.deadlineAt;
    }
  }

  /**
   * Proves credentials by a login of its own, within the caps. On success they are the account's from now on and the
   * connection joins the pool; on failure those who are in are not disturbed.
   */
  async prove(credentials: Credentials, job: Job): Promise<void> {
    let connection: ImapConnection;
    try {
      connection = await this.#login(credentials, job);
    } catch (error) {
      // The server counts what is idle here against the user's limit.
      if (!saysNoMore(error) || this.#pool.idle.length === 0) throw error;
      await this.evictIdle();
      connection = await this.#login(credentials, job);
    }
    this.#credentials = credentials;
    await this.#take(connection);
    if (this.#closing) throw closedError();
  }

  /** Takes credentials that were proven elsewhere, unless it has some. */
  trust(credentials: Credentials): void {
    this.#credentials ??= credentials;
  }

  /** Ends an idle connection so that its slot becomes free. */
  async evictIdle(): Promise<void> {
    const [oldest] = this.#pool.idle;
    if (oldest) await this.#endIdle(oldest);
  }

  /** Ends connections that were idle for too long or are too old. */
  sweep(): void {
    for (const connection of this.#pool.idle) {
      const idleTooLong = this.#pool.idleFor(connection) > this.#host.limits.idleMs;
      if (idleTooLong || this.#mustRetire(connection)) void this.#endIdle(connection);
    }
  }

  /** Tries again what waits for a slot. */
  wake(): void {
    this.#pump();
  }

  /** Takes no new work, lets running work finish within the grace, logs out everywhere. Always resolves. */
  async close(graceMs: number): Promise<void> {
    this.#closing = true;
    this.#queue.rejectAll(closedError());
    this.#endPause();
    for (const connection of this.#pool.idle) void this.#endIdle(connection);
    await this.#quiet(graceMs);
    this.#stopped = true;
    for (const stopper of [...this.#underWay]) stopper.stop(closedError());
    // Each ends by itself within this time: see `logoutMs`.
    await this.#quiet(this.#host.limits.logoutMs + 1_000);
  }

  async #wait(wants: Place['wants'], job: Job): Promise<ImapConnection | undefined> {
    if (this.#closing) throw closedError();
    if (wants === 'loan' && !this.#credentials) throw refusedError();
    const place = this.#queue.join(wants, job);
    this.#pump();
    return place.promise;
  }

  /** Serves the queue in its order: from what is idle, else from new connections as far as the caps allow. */
  #pump(): void {
    if (this.#closing) return;
    for (let head = this.#queue.first; head; head = this.#queue.first) {
      const served = head.wants === 'loan' ? this.#serveLoan(head) : this.#serveSlot(head);
      if (!served) return;
      this.#queue.leave(head);
    }
  }

  #serveLoan(place: Place): boolean {
    const { idle } = this.#pool;
    const last = idle.at(-1);
    const chosen = idle.find((connection) => connection.selected?.path === place.job.mailbox) ?? last;
    if (chosen) {
      void this.#lend(chosen, place);
      return true;
    }
    if (this.#pause) return false;
    const waiting = this.#queue.loans.length;
    while (this.#connecting < waiting && this.#takeSlot()) void this.#supply();
    return false;
  }

  #serveSlot(place: Place): boolean {
    if (this.#takeSlot()) {
      if (!place.resolve(undefined)) this.#giveSlot();
      return true;
    }
    // Under the caps that it shares the registry makes room; one at a time is enough.
    if (this.#full === 'account' && this.#ending === 0) void this.evictIdle();
    return false;
  }

  async #lend(connection: ImapConnection, place: Place): Promise<void> {
    const idleMs = this.#pool.idleFor(connection);
    await this.#pool.borrow(connection);
    const trusted = idleMs < TRUST_IDLE_MS && performance.now() - idleMs > this.#doubtedAt;
    const alive = connection.usable && (trusted || (await this.#answers(connection)));
    if (this.#closing) place.reject(closedError());
    if (alive && place.resolve(connection)) return;
    if (!place.settled) {
      this.#queue.rejoin(place);
      this.#pump();
    }
    await this.#giveBack(connection, alive);
  }

  async #answers(connection: ImapConnection): Promise<boolean> {
    const stopper = this.#watch();
    try {
      return await answers(connection, stopper.signal);
    } finally {
      this.#underWay.delete(stopper);
    }
  }

  get #full(): Full | undefined {
    if (this.#connections.size + this.#connecting >= this.#budget.limit) return 'account';
    return this.#host.slots.full(this.key, this.server.name);
  }

  #takeSlot(): boolean {
    const full = this.#full;
    if (full === undefined) this.#host.slots.take(this.key, this.server.name);
    else if (full !== 'account') this.#host.needsRoom(this, full);
    return full === undefined;
  }

  #giveSlot(): void {
    this.#host.slots.give(this.key, this.server.name);
    this.#host.slotFreed(this);
    this.#pump();
    if (this.#isQuiet) this.#onQuiet?.();
  }

  /** Makes one connection for whoever is first in the queue when it is ready. */
  async #supply(): Promise<void> {
    const credentials = this.#credentials;
    const stopper = this.#watch();
    try {
      if (!credentials) throw refusedError();
      await this.#take(await this.#open(credentials, stopper.signal));
    } catch (error) {
      this.#cannotSupply(error, credentials);
      this.#giveSlot();
    } finally {
      this.#underWay.delete(stopper);
    }
  }

  /** Tells who waits what they need to know, before a slot that is free tempts the next to try the same. */
  #cannotSupply(error: unknown, credentials: Credentials | undefined): void {
    if (this.#closing) return;
    const { loans } = this.#queue;
    const tooMany = saysTooMany(error);
    if (tooMany) this.#budget.refused(this.#connections.size);
    if (isRefusedLogin(error)) {
      // Another login with the same credentials would fail as well, and servers punish repetition.
      if (this.#credentials === credentials) this.#credentials = undefined;
      if (credentials) this.#host.refused(this.key, credentials);
      for (const place of loans) place.reject(error);
    } else if (this.#connections.size === 0 && this.#connecting === 0 && !tooMany) {
      for (const place of loans) place.reject(error);
    } else {
      // Those that there are, here or on the user's phone, will be free again: to wait is better than to fail.
      clearTimeout(this.#pause);
      this.#pause = setTimeout(() => this.#endPause(), REFUSED_PAUSE_MS);
    }
  }

  #endPause(): void {
    clearTimeout(this.#pause);
    this.#pause = undefined;
    this.#pump();
  }

  async #login(credentials: Credentials, job: Job): Promise<ImapConnection> {
    await this.#wait('slot', job);
    const stopper = this.#watch(job);
    try {
      return await this.#open(credentials, stopper.signal);
    } catch (error) {
      this.#giveSlot();
      throw error;
    } finally {
      stopper.end();
      this.#underWay.delete(stopper);
    }
  }

  /** Opens a connection in a slot that was taken for it; when it fails the slot is still taken. */
  async #open(credentials: Credentials, signal: AbortSignal): Promise<ImapConnection> {
    this.#connecting += 1;
    try {
      const connection = await this.#host.connect(this.server, credentials, signal);
      this.#connections.add(connection);
      this.#budget.recognise(connection.serverName);
      return connection;
    } finally {
      this.#connecting -= 1;
    }
  }

  async #take(connection: ImapConnection): Promise<void> {
    await this.#pool.adopt(connection);
    connection.onClose(() => {
      if (this.#pool.idle.includes(connection)) void this.#endIdle(connection);
    });
    await this.#giveBack(connection, connection.usable);
  }

  async #giveBack(connection: ImapConnection, reusable: boolean): Promise<void> {
    if (!reusable) connection.close();
    if (!reusable || this.#closing || this.#host.mustYield(this) || this.#mustRetire(connection)) {
      // Whoever had it need not wait for the LOGOUT.
      void this.#end(connection);
      return;
    }
    await this.#pool.release(connection);
    // It may have ended in between, or somebody asked for room while it was neither busy nor idle.
    if (!connection.usable && this.#pool.idle.includes(connection)) void this.#endIdle(connection);
    this.#pump();
    if (this.#pool.idle.length > 0 && this.#host.mustYield(this)) void this.evictIdle();
  }

  /**
   * Whether a connection is too old to be lent again. Where there is room it serves on until another is there, so that
   * no request waits for a login.
   */
  #mustRetire(connection: ImapConnection): boolean {
    if (!isOld(connection, this.#host.limits.maxAgeMs, this.#credentials)) return false;
    if (this.#replaced.has(connection) || this.#full !== undefined) return !this.#replacing.has(connection);
    this.#takeSlot();
    this.#replaced.add(connection);
    this.#replacing.add(connection);
    void this.#supply().then(() => {
      this.#replacing.delete(connection);
      if (this.#pool.idle.includes(connection)) void this.#endIdle(connection);
    });
    return false;
  }

  #watch(job?: Job): Stopper {
    const stopper = new Stopper(job);
    this.#underWay.add(stopper);
    if (this.#stopped) stopper.stop(closedError());
    return stopper;
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
    this.#connections.delete(connection);
    this.#giveSlot();
  }

  get #isQuiet(): boolean {
    return this.#connections.size === 0 && this.#connecting === 0;
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
