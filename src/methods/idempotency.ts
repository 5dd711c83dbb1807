import { BrokerError } from '../protocol/errors.js';

/** Bounds of what is remembered of requests with an idempotency key. */
export interface IdempotencyLimits {
  /** Milliseconds that an outcome is remembered. */
  keepMs: number;
  /** Keys of one account. */
  keysPerAccount: number;
  /** Keys of all accounts. */
  keys: number;
  /** Characters of all results together, as JSON. */
  characters: number;
}

const defaults: IdempotencyLimits = {
  keepMs: 15 * 60_000,
  keysPerAccount: 1_000,
  keys: 100_000,
  characters: 32 * 1024 * 1024,
};

type Outcome = { ok: true; value: unknown } | { ok: false; error: unknown };

interface Entry {
  account: string;
  key: string;
  fingerprint: string;
  outcome: Promise<Outcome>;
  /** `performance.now()` when the outcome was there; until then the entry cannot leave. */
  settledAt: number | undefined;
  characters: number;
  /** The account's last session has ended. */
  forgotten: boolean;
}

/** What became of requests with an idempotency key, so that each of them has its effect once. */
export class Idempotency {
  readonly #limits: IdempotencyLimits;
  readonly #accounts = new Map<string, Map<string, Entry>>();
  /** Those with an outcome, the oldest first. */
  readonly #settled = new Set<Entry>();
  #keys = 0;
  #characters = 0;

  constructor(limits: Partial<IdempotencyLimits> = {}) {
    this.#limits = { ...defaults, ...limits };
  }

  /**
   * Does the work, unless a request with the same key did it or does it: then its outcome is this one's as well. One
   * that failed without an effect does not count.
   * @param fingerprint of the method and all of its params that matter
   * @throws BrokerError IDEMPOTENCY_MISMATCH, RATE_LIMITED when too many keys have no outcome yet, or what the work throws
   */
  async once<T>(account: string, key: string, fingerprint: string, work: () => Promise<T>): Promise<T> {
    this.#expire();
    for (let known = this.#find(account, key); known; known = this.#find(account, key)) {
      if (known.fingerprint !== fingerprint) throw mismatch();
      const outcome = await known.outcome;
      if (outcome.ok) return outcome.value as T;
      if (hadEffect(outcome.error)) throw outcome.error;
    }
    this.#makeRoom(account);
    const outcome = await this.#begin(account, key, fingerprint, work);
    if (!outcome.ok) throw outcome.error;
    return outcome.value as T;
  }

  /** The account's last session has ended. */
  forget(account: string): void {
    for (const entry of this.#accounts.get(account)?.values() ?? []) {
      // What is under way stays until it is known how it ends: somebody may come back and ask again.
      if (entry.settledAt === undefined) entry.forgotten = true;
      else this.#remove(entry);
    }
  }

  /** Keys that are remembered. */
  get size(): number {
    return this.#keys;
  }

  #find(account: string, key: string): Entry | undefined {
    return this.#accounts.get(account)?.get(key);
  }

  #begin(account: string, key: string, fingerprint: string, work: () => Promise<unknown>): Promise<Outcome> {
    const outcome = outcomeOf(work).then((it) => {
      this.#settle(entry, it);
      return it;
    });
    const entry: Entry = {
      account,
      key,
      fingerprint,
      outcome,
      settledAt: undefined,
      characters: 0,
      forgotten: false,
    };
    const entries = this.#accounts.get(account) ?? new Map<string, Entry>();
    this.#accounts.set(account, entries);
    entries.set(key, entry);
    this.#keys += 1;
    return outcome;
  }

  #settle(entry: Entry, outcome: Outcome): void {
    if (entry.forgotten || (!outcome.ok && !hadEffect(outcome.error))) {
      this.#remove(entry);
      return;
    }
    entry.settledAt = performance.now();
    entry.characters = outcome.ok ? JSON.stringify(outcome.value).length : 0;
    this.#characters += entry.characters;
    this.#settled.add(entry);
    for (const oldest of this.#settled) {
      if (this.#characters <= this.#limits.characters) break;
      this.#remove(oldest);
    }
  }

  #expire(): void {
    const before = performance.now() - this.#limits.keepMs;
    for (const entry of this.#settled) {
      if ((entry.settledAt ?? 0) > before) break;
      this.#remove(entry);
    }
  }

  /** @throws BrokerError RATE_LIMITED when all that is remembered has no outcome yet */
  #makeRoom(account: string): void {
    const entries = this.#accounts.get(account);
    if (entries && entries.size >= this.#limits.keysPerAccount) {
      this.#removeOrRefuse(oldestOf(entries.values()));
    }
    if (this.#keys >= this.#limits.keys) this.#removeOrRefuse(this.#settled.values().next().value);
  }

  #removeOrRefuse(oldest: Entry | undefined): void {
    if (!oldest) throw new BrokerError('RATE_LIMITED', 'Too many idempotency keys are in use.', { retryAfterMs: 1000 });
    this.#remove(oldest);
  }

  #remove(entry: Entry): void {
    const entries = this.#accounts.get(entry.account);
    entries?.delete(entry.key);
    if (entries?.size === 0) this.#accounts.delete(entry.account);
    this.#settled.delete(entry);
    this.#characters -= entry.characters;
    this.#keys -= 1;
  }
}

async function outcomeOf(work: () => Promise<unknown>): Promise<Outcome> {
  try {
    return { ok: true, value: await work() };
  } catch (error) {
    return { ok: false, error };
  }
}

/** Whether a failed request may have changed something; a defect's error does not say, so it may. */
function hadEffect(error: unknown): boolean {
  return !(error instanceof BrokerError) || error.executed !== 'no';
}

/** The one whose outcome is there for the longest. */
function oldestOf(entries: Iterable<Entry>): Entry | undefined {
  let oldest: Entry | undefined;
  for (const entry of entries) {
    if (entry.settledAt !== undefined && entry.settledAt < (oldest?.settledAt ?? Infinity)) oldest = entry;
  }
  return oldest;
}

function mismatch(): BrokerError {
  return new BrokerError('IDEMPOTENCY_MISMATCH', 'idempotencyKey: used before for a request with other parameters.', {
    field: 'idempotencyKey',
  });
}
