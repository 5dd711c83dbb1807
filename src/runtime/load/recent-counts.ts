/** Counts what happened in the last while, by kind, in memory that does not grow with how often it happens. */
export class RecentCounts {
  readonly #bucketMs: number;
  readonly #most: number;
  /** The counts of each step, the youngest last. */
  readonly #buckets: { at: number; counts: Map<string, number> }[] = [];

  /**
   * @param spanMs milliseconds that are counted
   * @param buckets in how many steps the oldest are forgotten
   */
  constructor(spanMs: number, buckets: number) {
    this.#bucketMs = spanMs / buckets;
    this.#most = buckets;
  }

  add(kind: string): void {
    const at = this.#now;
    let last = this.#buckets.at(-1);
    if (last?.at !== at) {
      this.#forget(at);
      last = { at, counts: new Map() };
      this.#buckets.push(last);
    }
    last.counts.set(kind, (last.counts.get(kind) ?? 0) + 1);
  }

  /** How often each kind happened. */
  get counts(): Map<string, number> {
    return this.within(this.#most * this.#bucketMs);
  }

  /** How often each kind happened in the last milliseconds, a part of those that are counted. */
  within(spanMs: number): Map<string, number> {
    const first = this.#now - spanMs / this.#bucketMs;
    const all = new Map<string, number>();
    for (const { at, counts } of this.#buckets) {
      if (at <= first) continue;
      for (const [kind, count] of counts) all.set(kind, (all.get(kind) ?? 0) + count);
    }
    return all;
  }

  get #now(): number {
    return Math.floor(performance.now() / this.#bucketMs);
  }

  #forget(now: number): void {
    while (this.#buckets[0] && this.#buckets[0].at <= now - this.#most) this.#buckets.shift();
  }
}
