import { ImapConnection } from '../imap/connection.js';
import type { Credentials, ServerOptions } from '../imap/server-options.js';
import { BrokerError } from '../protocol/errors.js';
import { Account, type AccountHost, type AccountStats, type Connect } from './account.js';
import type { Job } from './job.js';
import { type Full, type PoolLimits, Slots } from './slots.js';

/** Names an account. */
export interface AccountName {
  tenant: string;
  server: ServerOptions;
  user: string;
}

/** All accounts of the broker, and the caps that they share. */
export class Registry implements AccountHost {
  readonly limits: PoolLimits;
  readonly slots: Slots;
  readonly connect: Connect;
  readonly #accounts = new Map<string, Account>();
  /** Accounts that wait for a slot under a shared cap, in the order in which they came. */
  readonly #starved = new Set<Account>();
  readonly #sweeper: NodeJS.Timeout;
  #closing = false;

  constructor(limits: PoolLimits, connect: Connect = connector()) {
    this.limits = limits;
    this.connect = connect;
    this.slots = new Slots(limits);
    // One timer for all: one per account would be thousands.
    this.#sweeper = setInterval(() => this.#sweep(), Math.min(30_000, Math.max(100, limits.idleMs / 4)));
    this.#sweeper.unref();
  }

  /** The account of a key, if it is known. */
  get(key: string): Account | undefined {
    return this.#accounts.get(key);
  }

  /**
   * Proves credentials by a login and answers the account, which is made if it is not there.
   * @throws BrokerError IMAP_AUTH_FAILED, UPSTREAM_UNAVAILABLE, POOL_EXHAUSTED, DEADLINE or DRAINING
   */
  async prove(name: AccountName, credentials: Credentials, job: Job): Promise<Account> {
    if (this.#closing) throw new BrokerError('DRAINING', 'The broker is about to stop.');
    const key = accountKey(name);
    const account = this.#accounts.get(key) ?? new Account(key, name.server, name.user, this);
    this.#accounts.set(key, account);
    try {
      await account.prove(credentials, job);
      return account;
    } catch (error) {
      if (!account.proven && this.#accounts.get(key) === account && account.stats.waiting === 0) {
        this.#accounts.delete(key);
      }
      throw error;
    }
  }

  /** Logs an account's connections out and forgets it. */
  async close(key: string): Promise<void> {
    const account = this.#accounts.get(key);
    this.#accounts.delete(key);
    if (account) this.#starved.delete(account);
    await account?.close(this.limits.logoutMs);
  }

  /** Takes no new work, lets running work finish within the grace, logs out everywhere. Always resolves. */
  async closeAll(graceMs: number): Promise<void> {
    this.#closing = true;
    clearInterval(this.#sweeper);
    this.#starved.clear();
    await Promise.all([...this.#accounts.values()].map((account) => account.close(graceMs)));
    this.#accounts.clear();
  }

  /** Connections and waiting jobs by account. */
  get stats(): Map<string, AccountStats> {
    return new Map([...this.#accounts].map(([key, account]) => [key, account.stats]));
  }

  needsRoom(account: Account, full: Full): void {
    this.#starved.add(account);
    const victim = this.#leastRecentlyUsed(account, full);
    if (victim) void victim.evictIdle();
  }

  slotFreed(): void {
    for (const account of [...this.#starved]) {
      this.#starved.delete(account);
      account.wake();
    }
  }

  #leastRecentlyUsed(asking: Account, full: Full): Account | undefined {
    let victim: Account | undefined;
    for (const account of this.#accounts.values()) {
      if (full === 'server' && account.server.name !== asking.server.name) continue;
      if ((account.longestIdleMs ?? -1) > (victim?.longestIdleMs ?? -1)) victim = account;
    }
    return victim;
  }

  #sweep(): void {
    for (const account of this.#accounts.values()) account.sweep();
  }
}

/** The key of an account; JSON, so that no choice of names makes two of them meet. */
export function accountKey({ tenant, server, user }: AccountName): string {
  return JSON.stringify([tenant, server.name, user]);
}

function connector(): Connect {
  let made = 0;
  return (server, credentials) => {
    made += 1;
    return ImapConnection.open(`${server.name}-${made}`, server, credentials);
  };
}
