import type { ImapConnection } from '../imap/connection.js';
import type { Credentials, ServerOptions } from '../imap/server-options.js';
import { BrokerError } from '../protocol/errors.js';
import { ConnectionPool } from './connection-pool.js';
import type { Job, Work } from './job.js';
import { workOn } from './loan.js';
import type { Full, PoolLimits, Slots } from './slots.js';
import { Waiter } from './waiter.js';

/** An idle connection older than this is asked with a NOOP before it is lent: it may be half-open. */
const TRUST_IDLE_MS = 30_000;
const VALIDATE_MS = 3_000;

/** Opens a connection; rejects with a BrokerError and leaves nothing open then. */
export type Connect = (server: ServerOptions, credentials: Credentials) => Promise<ImapConnection>;

/** What an account needs of the registry that it belongs to. */
export interface AccountHost {
  limits: PoolLimits;
  slots: Slots;
  connect: Connect;
  /** A cap that other accounts share stands in the way: the registry makes room and calls `wake` then. */
  needsRoom(account: Account, full: Full): void;
  /** A slot was given back. */
  slotFreed(): void;
  /** Whether a free connection of an account is to be ended because another account needs its slot more. */
  mustYield(account: Account): boolean;
}

export interface AccountStats {
  idle: number;
  busy: number;
  connecting: number;
  waiting: number;
}

/** (tenant, server, user): owns one pool and the queue before it. */
export class Account {
  readonly key: string;
  readonly server: ServerOptions;
  readonly user: string;
  readonly #host: AccountHost;
  readonly #pool: ConnectionPool;
  readonly #queue: Waiter<ImapConnection | undefined>[] = [];
  readonly #busy = new Set<ImapConnection>();
  #credentials: Credentials | undefined;
  #connecting = 0;
  /** When a connection was lost for the last time: those that are idle since before must prove that they live. */
  #doubtedAt = 0;
  #closing = false;
  #onQuiet: (() => void) | undefined;

  constructor(key: string, server: ServerOptions, user: string, host: AccountHost) {
    this.key = key;
    this.server = server;
    this.user = user;
    this.#host = host;
    this.#pool = new ConnectionPool(host.limits.connectionsPerAccount, host.limits.logoutMs);
  }

  get stats(): AccountStats {
    return {
      idle: this.#pool.idle.length,
      busy: this.#busy.size,
      connecting: this.#connecting,
      waiting: this.#queue.length,
    };
  }

  /** Whether a login ever succeeded here. */
  get proven(): boolean {
    return this.#credentials !== undefined;
  }

  /** Milliseconds that the first in the queue has been waiting; `undefined` when nobody is. */
  get longestWaitMs(): number | undefined {
    return this.#next()?.waitedMs;
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
    for (let attempt = 1; ; attempt += 1) {
      const connection = await this.#wait('loan', job);
      if (!connection) throw new Error('A loan without a connection.');
      const outcome = await workOn(connection, job, work);
      await this.#giveBack(connection, outcome.ok ? connection.usable && connection.quiet : outcome.reusable);
      if (outcome.ok) return outcome.value;
      const lost = outcome.error instanceof BrokerError && outcome.error.kind === 'CONNECTION_LOST';
      // What ended this one, a restart for instance, may have ended those that are idle as well.
      if (lost) this.#doubtedAt = Date.now();
      if (attempt > 1 || job.effect !== 'read' || outcome.wrote || !lost) throw outcome.error;
    }
  }

  /**
   * Proves credentials by a login of its own, within the caps. On success they are the account's from now on and the
   * connection joins the pool; on failure those who are in are not disturbed.
   */
  async prove(credentials: Credentials, job: Job): Promise<void> {
    await this.#wait('slot', job);
    const connection = await this.#open(credentials);
    this.#credentials = credentials;
    await this.#take(connection);
  }

  /** Ends an idle connection so that its slot becomes free. */
  async evictIdle(): Promise<void> {
    const [oldest] = this.#pool.idle;
    if (oldest) await this.#endIdle(oldest);
  }

  /** Ends connections that were idle for too long or are too old. */
  sweep(): void {
    const { idleMs, maxAgeMs } = this.#host.limits;
    for (const connection of this.#pool.idle) {
      const tooOld = Date.now() - connection.createdAt > maxAgeMs;
      if (tooOld || this.#pool.idleFor(connection) > idleMs) void this.#endIdle(connection);
    }
  }

  /** Tries again what waits for a slot. */
  wake(): void {
    this.#pump();
  }

  /** Takes no new work, lets running work finish within the grace, logs out everywhere. Always resolves. */
  async close(graceMs: number): Promise<void> {
    this.#closing = true;
    for (const waiter of [...this.#queue]) waiter.reject(closedError());
    await this.#quiet(graceMs);
    for (const connection of this.#busy) connection.close();
    await Promise.all(this.#pool.idle.map((connection) => this.#endIdle(connection)));
  }

  #wait(wants: 'loan' | 'slot', job: Job): Promise<ImapConnection | undefined> {
    if (this.#closing) return Promise.reject(closedError());
    const { queuePerAccount, acquireTimeoutMs } = this.#host.limits;
    if (this.#queue.length >= queuePerAccount) {
      const message = `${queuePerAccount} requests of this account wait for a connection already.`;
      return Promise.reject(new BrokerError('POOL_EXHAUSTED', message, { retryAfterMs: 1000 }));
    }
    const waiter: Waiter<ImapConnection | undefined> = new Waiter(wants, job, acquireTimeoutMs, () =>
      this.#leave(waiter),
    );
    this.#queue.push(waiter);
    this.#pump();
    return waiter.promise;
  }

  #leave(waiter: Waiter<ImapConnection | undefined>): void {
    const index = this.#queue.indexOf(waiter);
    if (index >= 0) this.#queue.splice(index, 1);
  }

  /** Serves the queue in its order: from what is idle, else from new connections as far as the caps allow. */
  #pump(): void {
    for (let head = this.#next(); head; head = this.#next()) {
      const served = head.wants === 'loan' ? this.#serveLoan(head) : this.#serveSlot(head);
      if (!served) return;
      this.#leave(head);
    }
  }

  #next(): Waiter<ImapConnection | undefined> | undefined {
    while (this.#queue[0]?.settled) this.#queue.shift();
    return this.#queue[0];
  }

  #serveLoan(waiter: Waiter<ImapConnection | undefined>): boolean {
    const { idle } = this.#pool;
    const last = idle.at(-1);
    const chosen = idle.find((connection) => connection.selected?.path === waiter.job.mailbox) ?? last;
    if (chosen) {
      void this.#lend(chosen, waiter);
      return true;
    }
    const waiting = this.#queue.filter(({ wants }) => wants === 'loan').length;
    while (this.#connecting < waiting && this.#takeSlot()) void this.#supply();
    return false;
  }

  #serveSlot(waiter: Waiter<ImapConnection | undefined>): boolean {
    if (this.#takeSlot()) {
      if (!waiter.resolve(undefined)) this.#giveSlot();
      return true;
    }
    if (this.#pool.idle.length > 0) void this.evictIdle();
    return false;
  }

  async #lend(connection: ImapConnection, waiter: Waiter<ImapConnection | undefined>): Promise<void> {
    const idleMs = this.#pool.idleFor(connection);
    this.#busy.add(connection);
    await this.#pool.borrow(connection);
    const trusted = idleMs < TRUST_IDLE_MS && Date.now() - idleMs > this.#doubtedAt;
    const alive = connection.usable && (trusted || (await answers(connection)));
    if (alive && waiter.resolve(connection)) return;
    await this.#giveBack(connection, alive);
    if (!alive && !waiter.settled) {
      this.#queue.unshift(waiter);
      this.#pump();
    }
  }

  #takeSlot(): boolean {
    const { slots } = this.#host;
    const full = slots.full(this.key, this.server.name);
    if (full === undefined) {
      slots.take(this.key, this.server.name);
      return true;
    }
    if (full !== 'account') this.#host.needsRoom(this, full);
    return false;
  }

  #giveSlot(): void {
    this.#host.slots.give(this.key, this.server.name);
    this.#host.slotFreed();
    this.#pump();
  }

  /** Makes one connection for whoever is first in the queue when it is ready. */
  async #supply(): Promise<void> {
    if (!this.#credentials) throw new Error('An account without credentials has no work.');
    try {
      await this.#take(await this.#open(this.#credentials));
    } catch (error) {
      const refused = error instanceof BrokerError && error.kind === 'IMAP_AUTH_FAILED';
      // Another login with the same credentials would fail as well, and servers punish repetition.
      const losers = this.#queue.filter(({ wants }) => wants === 'loan').slice(0, refused ? undefined : 1);
      for (const waiter of losers) waiter.reject(error);
      this.#pump();
    }
  }

  async #open(credentials: Credentials): Promise<ImapConnection> {
    this.#connecting += 1;
    try {
      return await this.#host.connect(this.server, credentials);
    } catch (error) {
      this.#giveSlot();
      throw error;
    } finally {
      this.#connecting -= 1;
      this.#checkQuiet();
    }
  }

  async #take(connection: ImapConnection): Promise<void> {
    this.#busy.add(connection);
    await this.#pool.adopt(connection);
    connection.onClose(() => {
      if (this.#pool.idle.includes(connection)) void this.#endIdle(connection);
    });
    await this.#giveBack(connection, connection.usable);
  }

  async #giveBack(connection: ImapConnection, reusable: boolean): Promise<void> {
    if (reusable && !this.#closing && !this.#host.mustYield(this)) {
      await this.#pool.release(connection);
      this.#busy.delete(connection);
      this.#pump();
      // Somebody may have asked for room while it was neither busy nor idle.
      if (this.#pool.idle.length > 0 && this.#host.mustYield(this)) await this.evictIdle();
    } else {
      await this.#end(connection);
    }
    this.#checkQuiet();
  }

  async #endIdle(connection: ImapConnection): Promise<void> {
    this.#busy.add(connection);
    await this.#pool.borrow(connection);
    await this.#end(connection);
  }

  async #end(connection: ImapConnection): Promise<void> {
    await this.#pool.discard(connection);
    this.#busy.delete(connection);
    this.#giveSlot();
    this.#checkQuiet();
  }

  #checkQuiet(): void {
    if (this.#busy.size === 0 && this.#connecting === 0) this.#onQuiet?.();
  }

  async #quiet(graceMs: number): Promise<void> {
    if (this.#busy.size === 0 && this.#connecting === 0) return;
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      this.#onQuiet = resolve;
      timer = setTimeout(resolve, graceMs);
    });
    clearTimeout(timer);
  }
}

async function answers(connection: ImapConnection): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), VALIDATE_MS);
  });
  const answer = connection.noop().then(
    () => true,
    () => false,
  );
  const alive = await Promise.race([answer, late]);
  clearTimeout(timer);
  if (!alive) connection.close();
  return alive;
}

function closedError(): BrokerError {
  return new BrokerError('DRAINING', 'The account is being closed.');
}
