import { monitorEventLoopDelay } from 'node:perf_hooks';
import { RecentCounts } from './recent-counts.js';
import { RecentTimes } from './recent-times.js';

const MINUTE_MS = 60_000;
const ERRORS_MS = 5 * MINUTE_MS;
/** Milliseconds between two samples of the event loop's delay. */
const RESOLUTION_MS = 20;
/** Milliseconds of one measurement, and how many of them make a minute. */
const MEASURE_MS = 10_000;
const MEASUREMENTS = 6;

/** Kinds of errors that are answered at once, without work: their times would make a slow broker look quick. */
export const turnedAway = new Set(['RATE_LIMITED', 'DRAINING']);

/** How busy the process is: requests a second and how long they take, errors, and how late the event loop comes. */
export class Load {
  readonly startedAt = new Date();
  readonly #since = performance.now();
  readonly #requests = new RecentCounts(MINUTE_MS, 60);
  readonly #times = new RecentTimes(MINUTE_MS, 60);
  readonly #errors = new RecentCounts(ERRORS_MS, 30);
  readonly #delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  /** 99th percentiles of the last minute, the youngest last. */
  readonly #lags: number[] = [];
  readonly #timer: NodeJS.Timeout;

  constructor() {
    this.#delay.enable();
    this.#timer = setInterval(() => this.#measured(), MEASURE_MS);
    this.#timer.unref();
  }

  /** A request was answered. @param outcome `ok` or the kind of the error @param ms milliseconds that it took */
  answered(outcome: string, ms: number): void {
    this.#requests.add('all');
    if (!turnedAway.has(outcome)) this.#times.add(ms);
    if (outcome !== 'ok') this.#errors.add(outcome);
  }

  get uptimeMs(): number {
    return Math.round(performance.now() - this.#since);
  }

  /** Requests a second, of the last minute. */
  get perSecond(): number {
    const seconds = Math.max(1, Math.min(MINUTE_MS, this.uptimeMs) / 1000);
    return Math.round(((this.#requests.counts.get('all') ?? 0) / seconds) * 100) / 100;
  }

  /** Milliseconds that requests of the last minute took, at most 9 % too many; `null` where there were none. */
  get latency(): { p50: number; p95: number; p99: number } | null {
    const [p50, p95, p99] = this.#times.percentiles(50, 95, 99) ?? [];
    return p50 === undefined || p95 === undefined || p99 === undefined ? null : { p50, p95, p99 };
  }

  /** Errors of the last five minutes by kind, the most frequent first. */
  get errors(): { kind: string; count: number }[] {
    return [...this.#errors.counts].map(([kind, count]) => ({ kind, count })).sort((a, b) => b.count - a.count);
  }

  /** Milliseconds that the event loop comes too late: the worst 99th percentile of ten seconds, of the last minute. */
  get eventLoopLagMs(): number {
    return Math.max(...this.#lags, this.#lag);
  }

  close(): void {
    clearInterval(this.#timer);
    this.#delay.disable();
  }

  get #lag(): number {
    if (this.#delay.count === 0) return 0;
    // The histogram holds the time between two samples, delay included.
    return Math.max(0, Math.round((this.#delay.percentile(99) / 1e6 - RESOLUTION_MS) * 10) / 10);
  }

  #measured(): void {
    this.#lags.push(this.#lag);
    if (this.#lags.length > MEASUREMENTS - 1) this.#lags.shift();
    this.#delay.reset();
  }
}
