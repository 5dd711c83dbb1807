/** Buckets for each doubling of the time: a time that is told is at most 9 % above the real one. */
const PER_DOUBLING = 8;
/** Least and greatest time that is told, in milliseconds; times beyond are told as these. */
const LEAST_MS = 0.1;
const MOST_MS = 600_000;
const FIRST = bucketOf(LEAST_MS);
const BUCKETS = bucketOf(MOST_MS) - FIRST + 1;

/** Milliseconds that 50, 95 and 99 % of some requests did not exceed. */
export interface Latency {
  p50: number;
  p95: number;
  p99: number;
}

/** How long requests took, in memory of fixed size. */
export class Durations {
  readonly #counts = new Uint32Array(BUCKETS);

  /** @param ms milliseconds */
  add(ms: number): void {
    const bucket = bucketOf(Math.min(MOST_MS, Math.max(LEAST_MS, ms))) - FIRST;
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1;
  }

  clear(): void {
    this.#counts.fill(0);
  }

  /** The percentiles of several of them together; null where there is no request. */
  static latency(all: readonly Durations[]): Latency | null {
    const counts = new Uint32Array(BUCKETS);
    let total = 0;
    for (const one of all) {
      one.#counts.forEach((count, bucket) => {
        counts[bucket] = (counts[bucket] ?? 0) + count;
        total += count;
      });
    }
    if (total === 0) return null;
    const upTo = (share: number) => {
      let reached = 0;
      const bucket = counts.findIndex((count) => {
        reached += count;
        return reached >= total * share;
      });
      return Math.round(2 ** ((bucket + FIRST) / PER_DOUBLING) * 10) / 10;
    };
    return { p50: upTo(0.5), p95: upTo(0.95), p99: upTo(0.99) };
  }
}

function bucketOf(ms: number): number {
  return Math.ceil(Math.log2(ms) * PER_DOUBLING);
}
