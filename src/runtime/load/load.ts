import { monitorEventLoopDelay } from 'node:perf_hooks';
import { Listeners } from '../listeners.js';
import { Durations, type Latency } from './durations.js';
import { RecentCounts } from './recent-counts.js';

const MINUTE_MS = 60_000;
const ERRORS_MS = 5 * MINUTE_MS;
/** Milliseconds between two samples of the event loop's delay. */
const RESOLUTION_MS = 20;
/** Milliseconds of one measurement, and how many of them make a minute. */
export const STEP_MS = 15_000;
const STEPS = MINUTE_MS / STEP_MS;

/** Kinds of errors that are answered at once, without work: their times would make a slow broker look quick. */
export const turnedAway = new Set(['RATE_LIMITED', 'DRAINING']);

/** A request that was answered. */
interface Request {
  tenant: string;
  /** Milliseconds that it took. */
  ms: number;
  /** `ok` or the kind of the error. */
  outcome: string;
}

/** What was measured in one step. */
export interface LoadStep {
  requests: number;
  failed: number;
  latency: Latency | null;
  eventLoopLagMs: number;
}

/** How busy the process is: requests a second and how long they take, errors, and how late the event loop comes. */
export class Load {
  readonly startedAt = new Date();
  /** Told of each step as it ends. */
  readonly steps = new Listeners<LoadStep>();
  readonly #since = performance.now();
  readonly #requests = new RecentCounts(MINUTE_MS, 60);
  readonly #errors = new RecentCounts(ERRORS_MS, 30);
  /** How long the requests of the last minute's steps took. */
  readonly #times = Array.from({ length: STEPS }, () => new Durations());
  /** Those of this step, which is among them. */
  #now = this.#times.at(-1) ?? new Durations();
  #stepRequests = 0;
  #stepFailed = 0;
  readonly #delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  /** 99th percentiles of the last minute, the youngest last. */
  readonly #lags: number[] = [];
  readonly #timer: NodeJS.Timeout;

  constructor() {
    this.#delay.enable();
    this.#timer = setInterval(() => this.#step(), STEP_MS);
    this.#timer.unref();
  }

  answered({ tenant, ms, outcome }: Request): void {
    this.#requests.add('all');
    this.#stepRequests += 1;
    if (!turnedAway.has(outcome)) this.#now.add(ms);
    if (outcome === 'ok') return;
    this.#stepFailed += 1;
    this.#errors.add(`${outcome} ${tenant}`);
  }

  get uptimeMs(): number {
    return Math.round(performance.now() - this.#since);
  }

  /** Requests a second, of the last minute. */
  get perSecond(): number {
    return this.#perSecond(this.#requests.counts.get('all') ?? 0);
  }

  /** Milliseconds that requests of the last minute took, at most 9 % too many; `null` where there were none. */
  get latency(): Latency | null {
    return Durations.latency(this.#times);
  }

  /** Errors of the last five minutes by kind and tenant, the most frequent first, and how many a second in the last minute. */
  get errors(): { kind: string; tenant: string; count: number; perSecond: number }[] {
    const lately = this.#errors.within(MINUTE_MS);
    const all = Array.from(this.#errors.counts, ([key, count]) => {
      const blank = key.indexOf(' ');
      const perSecond = this.#perSecond(lately.get(key) ?? 0);
      return { kind: key.slice(0, blank), tenant: key.slice(blank + 1), count, perSecond };
    });
    return all.sort((a, b) => b.count - a.count);
  }

  /** Milliseconds that the event loop comes too late: the worst 99th percentile of a step, of the last minute. */
  get eventLoopLagMs(): number {
    return Math.max(...this.#lags, this.#lag);
  }

  close(): void {
    clearInterval(this.#timer);
    this.#delay.disable();
  }

  /** How many a second so many in the last minute are. */
  #perSecond(count: number): number {
    const seconds = Math.max(1, Math.min(MINUTE_MS, this.uptimeMs) / 1000);
    return Math.round((count / seconds) * 100) / 100;
  }

  get #lag(): number {
    if (this.#delay.count === 0) return 0;
    // The histogram holds the time between two samples, delay included.
    return Math.max(0, Math.round((this.#delay.percentile(99) / 1e6 - RESOLUTION_MS) * 10) / 10);
  }

  #step(): void {
    const lag = this.#lag;
    this.#lags.push(lag);
    if (this.#lags.length > STEPS - 1) this.#lags.shift();
    this.#delay.reset();
    this.steps.tell({
      requests: this.#stepRequests,
      failed: this.#stepFailed,
      latency: Durations.latency([this.#now]),
      eventLoopLagMs: lag,
    });
    this.#stepRequests = 0;
    this.#stepFailed = 0;
    // The oldest step makes room for the next one.
    this.#now = this.#times.shift() ?? this.#now;
    this.#now.clear();
    this.#times.push(this.#now);
  }
}
