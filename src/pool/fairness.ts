import type { Contender } from './account-host.js';
import type { Caps, Full } from './supply/caps.js';

/** An account with waiting jobs yields a connection to a job that has waited so many milliseconds longer than they. */
const YIELD_AFTER_MS = 500;

/** Which account gets a slot under the caps shared by all accounts, and which account gives a connection up for it. */
export class Fairness {
  readonly #caps: Caps;
  readonly #accounts: () => Iterable<Contender>;
  /** Accounts whose requests wait for a slot under a shared cap. */
  readonly #starved = new Set<Contender>();
  /** Accounts whose watches wait for a slot that no request wants. */
  readonly #waitingWatches = new Set<Contender>();
  readonly #evictingFor = new Set<Contender>();

  /** @param accounts all accounts of the broker */
  constructor(caps: Caps, accounts: () => Iterable<Contender>) {
    this.#caps = caps;
    this.#accounts = accounts;
  }

  /** An account's request waits for a slot: the connection that has been idle for the longest time is evicted. */
  needsRoom(account: Contender, full: Full): void {
    this.#starved.add(account);
    // One at a time: a burst of one user's requests must not end all other users' connections.
    if (this.#evictingFor.has(account)) return;
    const victim = this.leastRecentlyUsed(account.server.name, full);
    if (!victim) return;
    this.#evictingFor.add(account);
    void victim.evictIdle().then(() => this.#evictingFor.delete(account));
  }

  /** An account's watch waits for a slot that no request wants. */
  watchNeedsRoom(account: Contender): void {
    this.#waitingWatches.add(account);
  }

  /** The account waits for no slot any more. */
  forget(account: Contender): void {
    this.#starved.delete(account);
    this.#waitingWatches.delete(account);
  }

  clear(): void {
    this.#starved.clear();
    this.#waitingWatches.clear();
  }

  /** A slot became free: wakes the accounts that can have a slot now, requests before watches. */
  serve(): void {
    // No more accounts are woken than there are slots: thousands may wait, and each woken in vain looks for a victim.
    for (let next = this.#longestServable(); next; next = this.#longestServable()) {
      this.#starved.delete(next);
      this.#evictingFor.delete(next);
      next.wake();
    }
    for (const watch of this.#waitingWatches) {
      const full = this.#caps.full(watch.key, watch.server.name);
      if (full === 'broker') break;
      if (full === 'server') continue;
      this.#waitingWatches.delete(watch);
      watch.wake();
    }
  }

  /** Whether an account has to give a connection up because another account's request has waited too long. */
  mustYield(account: Contender): boolean {
    const own = account.longestWaitMs;
    for (const other of this.#starved) {
      const waits = other.longestWaitMs;
      if (other === account || waits === undefined || !this.#helps(account, other)) continue;
      // Each handover costs a login, so an account with waiting jobs of its own keeps its connection for a while.
      if (own === undefined || waits > own + YIELD_AFTER_MS) return true;
    }
    return false;
  }

  /** The account whose connection has been idle for the longest time, among those whose slot would help. */
  leastRecentlyUsed(server: string, full: Full): Contender | undefined {
    let victim: Contender | undefined;
    for (const account of this.#accounts()) {
      if (full === 'server' && account.server.name !== server) continue;
      // Compares points in time: durations computed one after the other would differ by the time in between.
      const since = account.unneededSince ?? Number.POSITIVE_INFINITY;
      if (since < (victim?.unneededSince ?? Number.POSITIVE_INFINITY)) victim = account;
    }
    return victim;
  }

  /** Of the accounts that wait for a slot and could have one now, the account whose job has waited longest. */
  #longestServable(): Contender | undefined {
    let longest: Contender | undefined;
    let longestMs = -1;
    for (const account of this.#starved) {
      const waitedMs = account.longestWaitMs;
      if (waitedMs === undefined) this.#starved.delete(account);
      const longer = waitedMs !== undefined && waitedMs > longestMs;
      if (!longer || this.#caps.full(account.key, account.server.name) !== undefined) continue;
      longest = account;
      longestMs = waitedMs;
    }
    return longest;
  }

  /** Whether a slot of one account would help another: under the cap of a server only slots of that server do. */
  #helps(account: Contender, other: Contender): boolean {
    const full = this.#caps.full(other.key, other.server.name);
    return full === 'broker' || (full === 'server' && account.server.name === other.server.name);
  }
}
