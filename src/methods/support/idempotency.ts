import { BrokerError, type WireError } from '../../protocol/errors.js';
import type { KeptPerAccount } from '../../runtime/kept-per-account.js';

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

/** Idempotency keys that several brokers know. */
export interface SharedKeys {
  /** @returns the outcome of another broker as JSON; undefined where the work was done here */
  once(
    account: string,
    key: string,
    signal: AbortSignal,
    work: (takenOver: boolean) => Promise<KeyOutcome>,
  ): Promise<string | undefined>;
}

/** Does a request. @param takenOver whether a broker that is gone may have done it in part or whole */
export type KeyedWork<T> = (takenOver: boolean) => Promise<T>;

/** What work came to, as JSON; `counts` unless it failed without an effect. */
interface KeyOutcome {
  json: string;
  counts: boolean;
}

type Outcome = { ok: true; value: unknown } | { ok: false; error: unknown };

/** An outcome that outlives the process. */
export interface KeptOutcome {
  account: string;
  key: string;
  fingerprint: string;
  /** Milliseconds since the outcome was there. */
  ageMs: number;
  value?: unknown;
  /** The error of a request that failed, instead of a value. */
  error?: WireError | undefined;
}

interface Entry {
  account: string;
  key: string;
  fingerprint: string;
  outcome: Promise<Outcome>;
  /** The outcome, once it is there. */
  settled: Outcome | undefined;
  /** `performance.now()` when the outcome was there; until then the entry cannot leave. */
  settledAt: number | undefined;
  characters: number;
  /** The account's last session has ended. */
  forgotten: boolean;
}

/** What became of requests with an idempotency key, so that each of them has its effect once. */
export class Idempotency implements KeptPerAccount {
  readonly #limits: IdempotencyLimits;
  readonly #shared: SharedKeys | undefined;
  readonly #accounts = new Map<string, Map<string, Entry>>();
  /** Entries with an outcome, the oldest first. */
  readonly #settled = new Set<Entry>();
  #keys = 0;
  #characters = 0;

  /** @param shared where several brokers know of keys */
  constructor(limits: Partial<IdempotencyLimits> = {}, shared?: SharedKeys) {
    this.#limits = { ...defaults, ...limits };
    this.#shared = shared;
  }

  /**
   * Does the work, unless a request with the same key did it or does it: then the outcome is the same. A request that
   * failed without an effect does not count.
   * @param fingerprint of the method and all of its params that matter
   * @param signal ends the wait for another broker
   * @throws BrokerError IDEMPOTENCY_MISMATCH, RATE_LIMITED when too many keys have no outcome yet, or what the work throws
   */
  async once<T>(
    account: string,
    key: string,
    fingerprint: string,
    signal: AbortSignal,
    work: KeyedWork<T>,
  ): Promise<T> {
    this.#expire();
    for (let earlier = this.#find(account, key); earlier; earlier = this.#find(account, key)) {
      if (earlier.fingerprint !== fingerprint) throw mismatch();
      const outcome = await earlier.outcome;
      if (outcome.ok) return outcome.value as T;
      if (hadEffect(outcome.error)) throw outcome.error;
    }
    this.#makeRoom(account);
    const outcome = await this.#begin(account, key, fingerprint, () =>
      this.#everywhere(account, key, fingerprint, signal, work),
    );
    if (!outcome.ok) throw outcome.error;
    return outcome.value as T;
  }

  endAccount(account: string): void {
    for (const entry of this.#accounts.get(account)?.values() ?? []) {
      // A request under way stays until its outcome is known: the caller may come back and ask again.
      if (entry.settledAt === undefined) entry.forgotten = true;
      else this.#remove(entry);
    }
  }

  /** Keys that are remembered. */
  get size(): number {
    return this.#keys;
  }

  /** The outcomes that are remembered, for the next process; the oldest first. */
  get outcomes(): KeptOutcome[] {
    this.#expire();
    const now = performance.now();
    return [...this.#settled].map(({ account, key, fingerprint, settled, settledAt = now }) => {
      const kept = { account, key, fingerprint, ageMs: now - settledAt };
      return settled?.ok ? { ...kept, value: settled.value } : { ...kept, error: wireOf(settled?.error) };
    });
  }

  /** Takes up the outcomes that the process before has left, before the first request. */
  restore(outcomes: readonly KeptOutcome[]): void {
    for (const { account, key, fingerprint, ageMs, value, error } of outcomes.slice(-this.#limits.keys)) {
      const outcome: Outcome = error ? { ok: false, error: errorFromWire(error) } : { ok: true, value };
      const kept = { account, key, fingerprint, outcome: Promise.resolve(outcome) };
      const entry = { ...kept, settled: outcome, settledAt: undefined, characters: 0, forgotten: false };
      this.#add(entry);
      this.#settle(entry, outcome, ageMs);
    }
    this.#expire();
  }

  #find(account: string, key: string): Entry | undefined {
    return this.#accounts.get(account)?.get(key);
  }

  #begin(account: string, key: string, fingerprint: string, work: () => Promise<unknown>): Promise<Outcome> {
    const outcome = settle(work).then((it) => {
      this.#settle(entry, it);
      return it;
    });
    const entry: Entry = {
      account,
      key,
      fingerprint,
      outcome,
      settled: undefined,
      settledAt: undefined,
      characters: 0,
      forgotten: false,
    };
    this.#add(entry);
    return outcome;
  }

  /** Does the work unless another broker did it or does it. */
  async #everywhere(
    account: string,
    key: string,
    fingerprint: string,
    signal: AbortSignal,
    work: KeyedWork<unknown>,
  ): Promise<unknown> {
    if (!this.#shared) return await work(false);
    let own: Outcome | undefined;
    const json = await this.#shared.once(account, key, signal, async (takenOver) => {
      own = await settle(() => work(takenOver));
      const kept = own.ok ? { value: own.value } : { error: wireOf(own.error) };
      return { json: JSON.stringify({ fingerprint, ...kept }), counts: own.ok || hadEffect(own.error) };
    });
    const outcome = json === undefined ? own : outcomeFrom(json, fingerprint);
    if (outcome?.ok) return outcome.value;
    throw outcome?.error;
  }

  #add(entry: Entry): void {
    const entries = this.#accounts.get(entry.account) ?? new Map<string, Entry>();
    this.#accounts.set(entry.account, entries);
    entries.set(entry.key, entry);
    this.#keys += 1;
  }

  #settle(entry: Entry, outcome: Outcome, ageMs = 0): void {
    if (entry.forgotten || (!outcome.ok && !hadEffect(outcome.error))) {
      this.#remove(entry);
      return;
    }
    entry.settled = outcome;
    entry.settledAt = performance.now() - ageMs;
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

async function settle(work: () => Promise<unknown>): Promise<Outcome> {
  try {
    return { ok: true, value: await work() };
  } catch (error) {
    return { ok: false, error };
  }
}

/** The error of a defect does not say whether the request had an effect, so the request may have had one. */
function wireOf(error: unknown): WireError {
  const brokerError = error instanceof BrokerError ? error : undefined;
  const internal = new BrokerError('INTERNAL', 'The broker failed; its log has the cause.', { executed: 'maybe' });
  return (brokerError ?? internal).toWire();
}

/** The outcome of another broker. @throws BrokerError IDEMPOTENCY_MISMATCH */
function outcomeFrom(json: string, expected: string): Outcome {
  const { fingerprint, value, error } = JSON.parse(json) as Pick<KeptOutcome, 'fingerprint' | 'value' | 'error'>;
  if (fingerprint !== expected) throw mismatch();
  return error ? { ok: false, error: errorFromWire(error) } : { ok: true, value };
}

function errorFromWire({ message, data: { kind, ...options } }: WireError): BrokerError {
  return new BrokerError(kind, message, options);
}

/** Whether a failed request may have changed something; it may after a defect, whose error does not say. */
function hadEffect(error: unknown): boolean {
  return !(error instanceof BrokerError) || error.executed !== 'no';
}

/** The entry whose outcome is there for the longest. */
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
