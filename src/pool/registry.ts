import type { ImapConnection } from '../imap/connection/connection.js';
import type { Credentials, ServerOptions } from '../imap/login/server-options.js';
import { BrokerError } from '../protocol/errors.js';
import { type AccountFilter, accountKey, keyMatcher, namesOf } from '../runtime/account-key.js';
import { Live } from '../runtime/live.js';
import type { Log } from '../runtime/log/log.js';
import { Account } from './account.js';
import type { AccountHost, AccountStats, Connect, Contender } from './account-host.js';
import { Fairness } from './fairness.js';
import type { Job } from './job.js';
import { PoolEvents } from './observe/pool-events.js';
import type { PoolLimits } from './pool-limits.js';
import { Backoffs } from './supply/backoffs.js';
import { Caps, type Full } from './supply/caps.js';
import { connector } from './supply/connector.js';
import { Gate, type GateState } from './supply/gate.js';
import { Pauses } from './supply/pauses.js';
import { judgeFull } from './supply/server-full.js';

/** Names an account. */
export interface AccountName {
  tenant: string;
  server: ServerOptions;
  user: string;
}

export interface RegistryOptions {
  connect?: Connect;
  /** Log for connections; not used for them when `connect` is given. */
  log?: Log;
  /** Called when the server refuses credentials that it accepted before. */
  onRefused?: (accountKey: string, credentials: Credentials) => void;
  /** Called when credentials that the server accepted before must be proven anew; their password may have changed. */
  onDoubted?: (accountKey: string, credentials: Credentials) => void;
  /** Called before the work of a job begins, and before anything that its server has sent is acted on; it may abort the job. */
  beforeWork?: () => void;
}

/** All accounts of the broker, and the caps that they share. */
export class Registry implements AccountHost {
  readonly limits: Live<PoolLimits>;
  readonly caps: Caps;
  readonly events = new PoolEvents();
  readonly backoffs: Backoffs;
  readonly connect: Connect;
  readonly refused: (accountKey: string, credentials: Credentials) => void;
  readonly doubted: (accountKey: string, credentials: Credentials) => void;
  readonly beforeWork: () => void;
  readonly #accounts = new Map<string, Account>();
  readonly #gates = new Map<string, Gate>();
  /** Number of sessions that are being admitted, by account. */
  readonly #held = new Map<string, number>();
  readonly #fairness: Fairness;
  /** The current options of servers whose options have changed: callers may still have the old ones. */
  readonly #moved = new Map<string, ServerOptions>();
  readonly #pauses = new Pauses();
  /** Closing accounts that are forgotten already but still log out. */
  readonly #ending = new Set<Promise<void>>();
  readonly #onCommand = () => {
    this.events.commands += 1;
  };
  #sweeper: NodeJS.Timeout;
  #closing = false;

  constructor(limits: PoolLimits, options: RegistryOptions = {}) {
    const {
      log,
      connect = connector(log),
      onRefused = () => {},
      onDoubted = () => {},
      beforeWork = () => {},
    } = options;
    this.limits = new Live(limits);
    this.connect = (server, credentials, signal) =>
      this.#gateOf(server).pass(server.name, signal, () => this.#login(connect, server, credentials, signal));
    this.refused = onRefused;
    this.doubted = onDoubted;
    this.beforeWork = beforeWork;
    this.caps = new Caps(this.limits);
    this.#fairness = new Fairness(this.caps, () => this.#accounts.values());
    this.backoffs = new Backoffs(this.limits, (key, err) => {
      log?.warn({ ...namesOf(key), err }, 'IMAP connections end soon after their logins; the account backs off');
    });
    this.#sweeper = this.#startSweeper();
  }

  /** One timer for all accounts: one for each would be thousands. */
  #startSweeper(): NodeJS.Timeout {
    const everyMs = Math.min(30_000, Math.max(100, this.limits.now.idleMs / 4));
    return setInterval(() => this.#sweep(), everyMs).unref();
  }

  /** Changes the limits. Where more connections exist than the new limits allow, idle ones end first. */
  setLimits(limits: PoolLimits): void {
    this.limits.replace(limits);
    clearInterval(this.#sweeper);
    if (this.#closing) return;
    this.#sweeper = this.#startSweeper();
    for (const account of this.#accounts.values()) account.shrink();
    for (const name of new Set([...this.#accounts.values()].map(({ server }) => server.name))) this.#shrink(name);
    for (const account of this.#accounts.values()) account.wake();
  }

  #shrink(server: string): void {
    const full = this.caps.of(server) > this.limits.now.connectionsPerServer ? 'server' : 'broker';
    for (let surplus = this.caps.surplus(server); surplus > 0; surplus -= 1) {
      void this.#fairness.leastRecentlyUsed(server, full)?.evictIdle();
    }
  }

  /** Changes how a server is reached; existing connections end after their current work. */
  setServer(server: ServerOptions): void {
    // What the broker learned about the old address says nothing about the new one.
    this.#unlearn(server.name);
    this.#moved.set(server.name, server);
    for (const account of this.#matching({ server: server.name })) account.useServer(server);
  }

  /** Ends the idle connections of an account that is not used here any more. */
  giveBack(key: string): void {
    this.#accounts.get(key)?.giveBack();
  }

  #unlearn(server: string): void {
    this.#gates.delete(server);
    this.caps.forget(server);
    this.backoffs.forget(keyMatcher({ server }));
  }

  /**
   * Pauses accounts: they get no connections from now on, and requests wait up to `acquireTimeoutMs`. Idle connections
   * end now, the others after their current work; resolves when all have ended, or after `waitMs`.
   * @returns number of paused accounts that are in use, and number of connections still at work
   */
  async pause(filter: AccountFilter, waitMs: number): Promise<{ accounts: number; connections: number }> {
    this.#pauses.add(filter);
    const accounts = this.#matching(filter);
    for (const account of accounts) {
      // No other account is to make room for a paused one.
      this.#fairness.forget(account);
      account.vacate('retired');
    }
    await Promise.all(accounts.map((account) => account.quiet(waitMs)));
    const connections = accounts.reduce((sum, account) => sum + account.size, 0);
    return { accounts: accounts.length, connections };
  }

  /** Lifts the pauses whose filter equals the given one or is narrower. @returns number of pauses lifted */
  resume(filter: AccountFilter): number {
    const lifted = this.#pauses.lift(filter);
    if (lifted > 0) for (const account of this.#accounts.values()) account.wake();
    return lifted;
  }

  /** The filters of all pauses. */
  get paused(): AccountFilter[] {
    return this.#pauses.filters;
  }

  isPaused({ key }: Contender): boolean {
    return this.#pauses.has(key);
  }

  /**
   * Replaces connections: idle ones end now, the others after their current work.
   * @returns number of accounts and of connections concerned
   */
  reconnect(filter: AccountFilter): { accounts: number; connections: number } {
    const accounts = this.#matching(filter).filter(({ size }) => size > 0);
    const connections = accounts.reduce((sum, account) => sum + account.size, 0);
    for (const account of accounts) account.vacate('retired');
    return { accounts: accounts.length, connections };
  }

  /**
   * Ends all connections of an account at once, and the requests that use or wait for them.
   * @returns number of connections and requests ended; `undefined` where there is no such account
   */
  kick(key: string, reason: BrokerError): { connections: number; requests: number } | undefined {
    const account = this.#accounts.get(key);
    if (!account) return undefined;
    return { connections: account.size, requests: account.kick(reason) };
  }

  /**
   * Runs work that opens its own connection to a server, outside all accounts but within the caps.
   * @throws BrokerError POOL_EXHAUSTED, or what the work throws
   */
  async beside<T>(server: string, work: () => Promise<T>): Promise<T> {
    const key = 'beside the accounts';
    if (this.caps.full(key, server)) {
      const message = 'There are as many connections as there may be.';
      throw new BrokerError('POOL_EXHAUSTED', message, { retryAfterMs: 1000 });
    }
    this.caps.take(key, server);
    try {
      return await work();
    } finally {
      this.caps.give(key, server);
      this.#fairness.serve();
    }
  }

  #matching(filter: AccountFilter): Account[] {
    const matches = keyMatcher(filter);
    return [...this.#accounts.values()].filter(({ key }) => matches(key));
  }

  /** The state of each server's gate, by name: whether the server can be reached. */
  get servers(): Map<string, GateState> {
    return new Map([...this.#gates].map(([name, gate]) => [name, gate.status]));
  }

  async #login(connect: Connect, ...[server, credentials, signal]: Parameters<Connect>): Promise<ImapConnection> {
    const begun = performance.now();
    const tried = (error?: unknown) =>
      this.events.logins.tell({ server: server.name, ms: performance.now() - begun, error });
    try {
      const connection = await connect(server, credentials, signal);
      connection.beforeInput = this.beforeWork;
      connection.onCommand = this.#onCommand;
      tried();
      return connection;
    } catch (failure) {
      const error = judgeFull(failure, server.name, this);
      tried(error);
      throw error;
    }
  }

  /** `performance.now()` when a server answered a login for the last time. */
  reachedAt(server: string): number | undefined {
    return this.#gates.get(server)?.reachedAt;
  }

  #gateOf({ name, loginsPerSecond }: ServerOptions): Gate {
    const onRefused = (error: BrokerError) => this.events.refusals.tell({ server: name, error });
    const gate = this.#gates.get(name) ?? new Gate(loginsPerSecond, onRefused);
    this.#gates.set(name, gate);
    return gate;
  }

  /** The account of a key, if it has credentials that the server did not refuse. */
  get(key: string): Account | undefined {
    const account = this.#accounts.get(key);
    return account?.proven ? account : undefined;
  }

  /**
   * Proves credentials by a login and returns the account, which is made if it does not exist.
   * @throws BrokerError IMAP_AUTH_FAILED, UPSTREAM_UNAVAILABLE, POOL_EXHAUSTED, DEADLINE or DRAINING
   */
  async prove(name: AccountName, credentials: Credentials, job: Job): Promise<Account> {
    const account = this.#accountOf(name);
    await account.prove(credentials, job);
    return account;
  }

  /** Keeps an account from being closed while a session is being admitted to it. */
  async hold<T>(key: string, work: () => Promise<T>): Promise<T> {
    this.#held.set(key, (this.#held.get(key) ?? 0) + 1);
    try {
      return await work();
    } finally {
      const others = (this.#held.get(key) ?? 1) - 1;
      if (others > 0) this.#held.set(key, others);
      else this.#held.delete(key);
    }
  }

  /**
   * The account of a user whose credentials were proven earlier, perhaps by another broker. The account is made if it
   * does not exist, and logs in when there is work.
   * @param lately whether they were proven a short while ago
   * @throws BrokerError DRAINING
   */
  adopt(name: AccountName, credentials: Credentials, lately = false): Account {
    const account = this.#accountOf(name);
    account.trust(credentials, lately);
    return account;
  }

  #accountOf(name: AccountName): Account {
    if (this.#closing) throw new BrokerError('DRAINING', 'The broker is about to stop.');
    const key = accountKey(name);
    const account =
      this.#accounts.get(key) ?? new Account(key, this.#moved.get(name.server.name) ?? name.server, name.user, this);
    this.#accounts.set(key, account);
    return account;
  }

  /** Logs an account's connections out and forgets the account, unless a session is being admitted to it. */
  async close(key: string): Promise<void> {
    if (!this.#held.has(key)) await this.#forget(key, this.limits.now.logoutMs);
  }

  /**
   * The server is not configured any more: its accounts are forgotten; running work may finish within `graceMs`.
   * @returns keys of the forgotten accounts
   */
  closeServer(name: string, graceMs: number, reason: BrokerError): string[] {
    const keys = this.#matching({ server: name }).map(({ key }) => key);
    for (const key of keys) void this.#forget(key, graceMs, reason);
    this.#unlearn(name);
    this.#moved.delete(name);
    return keys;
  }

  async #forget(key: string, graceMs: number, reason?: BrokerError): Promise<void> {
    const account = this.#accounts.get(key);
    if (!account) return;
    this.#accounts.delete(key);
    this.#fairness.forget(account);
    const ending = account.close(graceMs, reason);
    this.#ending.add(ending);
    await ending;
    this.#ending.delete(ending);
  }

  /** Takes no new work, lets running work finish within the grace, logs out everywhere. Always resolves. */
  async closeAll(graceMs: number): Promise<void> {
    this.#closing = true;
    clearInterval(this.#sweeper);
    this.#fairness.clear();
    const accounts = [...this.#accounts.values()];
    await Promise.all([...this.#ending, ...accounts.map((account) => account.close(graceMs))]);
    this.#accounts.clear();
  }

  /** All accounts, the oldest first, including those whose credentials are still being proven. */
  get accounts(): Iterable<Account> {
    return this.#accounts.values();
  }

  /** Connections and waiting jobs by account. */
  get stats(): Map<string, AccountStats> {
    return new Map([...this.#accounts].map(([key, account]) => [key, account.stats]));
  }

  needsRoom(account: Contender, full: Full): void {
    this.#fairness.needsRoom(account, full);
  }

  watchNeedsRoom(account: Contender): void {
    this.#fairness.watchNeedsRoom(account);
  }

  slotFreed(account: Contender): void {
    // An account that is made anew while its predecessor logs out waits for the predecessor's slots.
    const successor = this.#accounts.get(account.key);
    if (successor !== account) successor?.wake();
    this.#fairness.serve();
  }

  mustYield(account: Contender): boolean {
    if (this.isPaused(account) || this.caps.surplus(account.server.name) > 0) return true;
    return this.#fairness.mustYield(account);
  }

  #sweep(): void {
    this.backoffs.sweep();
    for (const account of this.#accounts.values()) account.sweep();
  }
}
