import type { KeptPerAccount } from '../kept-per-account.js';
import type { Latency } from './durations.js';

/** Requests of an account of which it is kept how long they took: 400 bytes. */
const KEPT = 100;
/** Milliseconds over which the rate of requests is averaged: what is older counts less and less. */
const AVERAGED_MS = 30_000;
/** Milliseconds without a request after which nothing is kept of an account. */
const FORGET_MS = 300_000;

/** How many requests an account sends, and how long they take. */
export interface AccountLoad {
  /** Requests a second. */
  perSecond: number;
  /** Of the account's last 100 requests; null where there were none of late. */
  latencyMs: Latency | null;
}

class RecentRequests {
  /** The ring of their milliseconds. */
  readonly #times = new Float32Array(KEPT);
  #count = 0;
  /** Requests a second, as it was at `#at` (`performance.now()`). */
  #rate = 0;
  #at = 0;
  /** Kept until the next request: a list of accounts is sorted by it again and again. */
  #latency: Latency | undefined;

  add(ms: number, now: number): void {
    this.#rate = this.rate(now) + 1000 / AVERAGED_MS;
    this.#at = now;
    this.#times[this.#count % KEPT] = ms;
    this.#count += 1;
    this.#latency = undefined;
  }

  rate(now: number): number {
    return this.#rate * Math.exp((this.#at - now) / AVERAGED_MS);
  }

  /** Whether the last request is long ago. */
  isOver(now: number): boolean {
    return now - this.#at > FORGET_MS;
  }

  get latency(): Latency {
    this.#latency ??= latencyOf(this.#times.slice(0, this.#count).sort());
    return this.#latency;
  }
}

function latencyOf(sorted: Float32Array): Latency {
  const upTo = (share: number) => Math.round((sorted[Math.ceil(sorted.length * share) - 1] ?? 0) * 10) / 10;
  return { p50: upTo(0.5), p95: upTo(0.95), p99: upTo(0.99) };
}

/** The requests of each account, of those accounts that have sent some of late. */
export class AccountLoads implements KeptPerAccount {
  readonly #all = new Map<string, RecentRequests>();

  /** A request of an account was answered after so many milliseconds. The account must exist: nothing else bounds them. */
  answered(key: string, ms: number): void {
    let recent = this.#all.get(key);
    if (!recent) {
      recent = new RecentRequests();
      this.#all.set(key, recent);
    }
    recent.add(ms, performance.now());
  }

  of(key: string): AccountLoad {
    return { perSecond: this.perSecond(key), latencyMs: this.#all.get(key)?.latency ?? null };
  }

  perSecond(key: string): number {
    return Math.round((this.#all.get(key)?.rate(performance.now()) ?? 0) * 100) / 100;
  }

  endAccount(key: string): void {
    this.#all.delete(key);
  }

  /** Forgets the accounts that have sent nothing for a while. */
  sweep(): void {
    const now = performance.now();
    for (const [key, recent] of this.#all) if (recent.isOver(now)) this.#all.delete(key);
  }
}
