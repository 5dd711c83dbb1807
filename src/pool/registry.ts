import type { ImapConnection } from '../imap/connection.js';
import type { Credentials, ServerOptions } from '../imap/server-options.js';
import { BrokerError } from '../protocol/errors.js';
import { accountKey } from '../runtime/account-key.js';
import type { Log } from '../runtime/log.js';
import { Account } from './account.js';
import type { AccountHost, AccountStats, Connect } from './account-host.js';
import { connector } from './connector.js';
import { Gate, type GateState } from './gate.js';
import type { Job } from './job.js';
import { PoolEvents } from './pool-events.js';
import { type Full, type PoolLimits, Slots } from './slots.js';

/** Names an account. */
export interface AccountName {
  tenant: string;
  server: ServerOptions;
  user: string;
}

/** What the accounts of one server have together. */
export interface ServerLoad extends AccountStats {
  accounts: number;
  /** Accounts that may have fewer connections than is configured, because the server allows no more. */
  belowBudget: number;
}

const states = ['idle', 'busy', 'watching', 'connecting', 'waiting'] as const;
const noLoad: ServerLoad = { idle: 0, busy: 0, watching: 0, connecting: 0, waiting: 0, accounts: 0, belowBudget: 0 };

export interface RegistryOptions {
  connect?: Connect;
  /** Is told of connections, unless `connect` is somebody else's. */
  log?: Log;
  /** Called when the server refuses credentials that it took before. */
  onRefused?: (accountKey: string, credentials: Credentials) => void;
}

/** Milliseconds that a job of another account may have waited longer than one's own before it takes one's connection. */
const YIELD_AFTER_MS = 500;

/** All accounts of the broker, and the caps that they share. */
export class Registry implements AccountHost {
  readonly limits: PoolLimits;
  readonly slots: Slots;
  readonly events = new PoolEvents();
  readonly connect: Connect;
  readonly refused: (accountKey: string, credentials: Credentials) => void;
  readonly #accounts = new Map<string, Account>();
  readonly #gates = new Map<string, Gate>();
  /** How many are just being admitted to an account. */
  readonly #held = new Map<string, number>();
  /** Accounts that wait for a slot under a shared cap. */
  readonly #starved = new Set<Account>();
  /** Accounts whose watches wait for a slot that nobody else wants. */
  readonly #hopeful = new Set<Account>();
  readonly #evictingFor = new Set<Account>();
  /** Accounts that are forgotten already and still log out. */
  readonly #ending = new Set<Promise<void>>();
  readonly #sweeper: NodeJS.Timeout;
  #closing = false;

  constructor(limits: PoolLimits, { log, connect = connector(log), onRefused = () => {} }: RegistryOptions = {}) {
    this.limits = limits;
    this.connect = (server, credentials, signal) =>
      this.#gateOf(server).pass(server.name, signal, () => this.#login(connect, server, credentials, signal));
    this.refused = onRefused;
    this.slots = new Slots(limits);
    // One timer for all: one per account would be thousands.
    this.#sweeper = setInterval(() => this.#sweep(), Math.min(30_000, Math.max(100, limits.idleMs / 4)));
    this.#sweeper.unref();
  }

  /** Whether servers can be reached, by name. */
  get servers(): Map<string, GateState> {
    return new Map([...this.#gates].map(([name, gate]) => [name, gate.status]));
  }

  async #login(connect: Connect, ...[server, credentials, signal]: Parameters<Connect>): Promise<ImapConnection> {
    const begun = performance.now();
    const tried = (error?: unknown) =>
      this.events.logins.tell({ server: server.name, ms: performance.now() - begun, error });
    try {
      const connection = await connect(server, credentials, signal);
      tried();
      return connection;
    } catch (error) {
      tried(error);
      throw error;
    }
  }

  #gateOf({ name, loginsPerSecond }: ServerOptions): Gate {
    const onRefused = (error: BrokerError) => this.events.refusals.tell({ server: name, error });
    const gate = this.#gates.get(name) ?? new Gate(loginsPerSecond, onRefused);
    this.#gates.set(name, gate);
    return gate;
  }

  /** The account of a key, if its credentials are known to be good. */
  get(key: string): Account | undefined {
    const account = this.#accounts.get(key);
    return account?.proven ? account : undefined;
  }

  /**
   * Proves credentials by a login and answers the account, which is made if it is not there.
   * @throws BrokerError IMAP_AUTH_FAILED, UPSTREAM_UNAVAILABLE, POOL_EXHAUSTED, DEADLINE or DRAINING
   */
  async prove(name: AccountName, credentials: Credentials, job: Job): Promise<Account> {
    const account = this.#accountOf(name);
    await account.prove(credentials, job);
    return account;
  }

  /** Keeps an account from being closed while somebody is being admitted to it. */
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
   * The account of somebody whose credentials were proven earlier, perhaps by another broker. It is made if it is not
   * there, and logs in when there is work.
   * @throws BrokerError DRAINING
   */
  adopt(name: AccountName, credentials: Credentials): Account {
    const account = this.#accountOf(name);
    account.trust(credentials);
    return account;
  }

  #accountOf(name: AccountName): Account {
    if (this.#closing) throw new BrokerError('DRAINING', 'The broker is about to stop.');
    const key = accountKey(name);
    const account = this.#accounts.get(key) ?? new Account(key, name.server, name.user, this);
    this.#accounts.set(key, account);
    return account;
  }

  /** Logs an account's connections out and forgets it, unless somebody is just being admitted to it. */
  async close(key: string): Promise<void> {
    if (this.#held.has(key)) return;
    const account = this.#accounts.get(key);
    if (!account) return;
    this.#accounts.delete(key);
    this.#hopeful.delete(account);
    const ending = account.close(this.limits.logoutMs);
    this.#ending.add(ending);
    await ending;
    this.#ending.delete(ending);
  }

  /** Takes no new work, lets running work finish within the grace, logs out everywhere. Always resolves. */
  async closeAll(graceMs: number): Promise<void> {
    this.#closing = true;
    clearInterval(this.#sweeper);
    this.#starved.clear();
    this.#hopeful.clear();
    const accounts = [...this.#accounts.values()];
    await Promise.all([...this.#ending, ...accounts.map((account) => account.close(graceMs))]);
    this.#accounts.clear();
  }

  /** All accounts, the oldest first, those included whose credentials are only just being proven. */
  get accounts(): Iterable<Account> {
    return this.#accounts.values();
  }

  /** Accounts, connections and waiting jobs by server. */
  get loads(): Map<string, ServerLoad> {
    const loads = new Map<string, ServerLoad>();
    for (const { server, stats, budget } of this.#accounts.values()) {
      const load = loads.get(server.name) ?? { ...noLoad };
      loads.set(server.name, load);
      for (const state of states) load[state] += stats[state];
      load.accounts += 1;
      if (budget < this.limits.connectionsPerAccount) load.belowBudget += 1;
    }
    return loads;
  }

  /** Connections and waiting jobs by account. */
  get stats(): Map<string, AccountStats> {
    return new Map([...this.#accounts].map(([key, account]) => [key, account.stats]));
  }

  needsRoom(account: Account, full: Full): void {
    this.#starved.add(account);
    // One at a time: a storm of one user must not end everybody else's connections.
    if (this.#evictingFor.has(account)) return;
    const victim = this.#leastRecentlyUsed(account, full);
    if (!victim) return;
    this.#evictingFor.add(account);
    void victim.evictIdle().then(() => this.#evictingFor.delete(account));
  }

  hopesForRoom(account: Account): void {
    this.#hopeful.add(account);
  }

  slotFreed(account: Account): void {
    // An account that is made anew while its predecessor still logs out waits for the predecessor's slots.
    const successor = this.#accounts.get(account.key);
    if (successor !== account) successor?.wake();
    // No more are woken than there are slots: thousands may wait, and each that wakes in vain looks for a victim.
    for (let next = this.#longestServable(); next; next = this.#longestServable()) {
      this.#starved.delete(next);
      this.#evictingFor.delete(next);
      next.wake();
    }
    for (const hopeful of this.#hopeful) {
      const full = this.slots.full(hopeful.key, hopeful.server.name);
      if (full === 'broker') break;
      if (full === 'server') continue;
      this.#hopeful.delete(hopeful);
      hopeful.wake();
    }
  }

  /** Of those that wait for a slot and could have one now, the one whose first job waits for the longest. */
  #longestServable(): Account | undefined {
    let longest: Account | undefined;
    let longestMs = -1;
    for (const account of this.#starved) {
      const waitedMs = account.longestWaitMs;
      if (waitedMs === undefined) this.#starved.delete(account);
      if (
        waitedMs === undefined ||
        waitedMs <= longestMs ||
        this.slots.full(account.key, account.server.name) !== undefined
      )
        continue;
      longest = account;
      longestMs = waitedMs;
    }
    return longest;
  }

  mustYield(account: Account): boolean {
    const own = account.longestWaitMs;
    for (const other of this.#starved) {
      const waits = other.longestWaitMs;
      if (other === account || waits === undefined || !this.#helps(account, other)) continue;
      // Each change of hands costs a login, so an account with work of its own keeps its connection for a while.
      if (own === undefined || waits > own + YIELD_AFTER_MS) return true;
    }
    return false;
  }

  /** Whether a slot of one account would be of use to another: the server's own cap may be what stands in its way. */
  #helps(account: Account, other: Account): boolean {
    const full = this.slots.full(other.key, other.server.name);
    return full === 'broker' || (full === 'server' && account.server.name === other.server.name);
  }

  #leastRecentlyUsed(asking: Account, full: Full): Account | undefined {
    let victim: Account | undefined;
    for (const account of this.#accounts.values()) {
      if (full === 'server' && account.server.name !== asking.server.name) continue;
      // Moments, not spans that are read one after the other: those would differ by what lies between.
      const since = account.unneededSince ?? Number.POSITIVE_INFINITY;
      if (since < (victim?.unneededSince ?? Number.POSITIVE_INFINITY)) victim = account;
    }
    return victim;
  }

  #sweep(): void {
    for (const account of this.#accounts.values()) account.sweep();
  }
}
