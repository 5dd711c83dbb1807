import { RecentCounts } from './recent-counts.js';

/** Buckets for each doubling of the time: a time that is told is at most 9 % above the real one. */
const PER_DOUBLING = 8;
/** Least and greatest time that is told, in milliseconds; times beyond are told as these. */
const LEAST_MS = 0.1;
const MOST_MS = 600_000;

/** How long things took in the last while, in memory that does not grow with how often they happen. */
export class RecentTimes {
  readonly #counts: RecentCounts;

  /**
   * @param spanMs milliseconds that are remembered
   * @param steps in how many steps the oldest are forgotten
   */
  constructor(spanMs: number, steps: number) {
    this.#counts = new RecentCounts(spanMs, steps);
  }

  /** @param ms milliseconds */
  add(ms: number): void {
    const within = Math.min(MOST_MS, Math.max(LEAST_MS, ms));
    this.#counts.add(String(Math.ceil(Math.log2(within) * PER_DOUBLING)));
  }

  /** The times, in milliseconds, that so many per cent of them did not exceed; `undefined` where there is none. */
  percentiles(...perCents: readonly number[]): number[] | undefined {
    const buckets = [...this.#counts.counts].map(([bucket, count]) => [Number(bucket), count] as const);
    if (buckets.length === 0) return undefined;
    buckets.sort(([a], [b]) => a - b);
    const total = buckets.reduce((sum, [, count]) => sum + count, 0);
    return perCents.map((perCent) => upTo(buckets, (total * perCent) / 100));
  }
}

/** The upper bound of the bucket in which the count is reached. */
function upTo(buckets: ReadonlyArray<readonly [number, number]>, wanted: number): number {
  let reached = 0;
  let last = 0;
  for (const [bucket, count] of buckets) {
    reached += count;
    last = bucket;
    if (reached >= wanted) break;
  }
  return Math.round(2 ** (last / PER_DOUBLING) * 10) / 10;
}
