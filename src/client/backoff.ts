import { onAbort } from './shared-signal.js';

const FIRST_MS = 100;
const MOST_MS = 10_000;
/** Longest time of a Node timer: a longer one fires at once, with a warning. */
const MOST_TIMER_MS = 2 ** 31 - 1;

/** Milliseconds to wait before this attempt, 1 for the first: full jitter, so that workers do not retry in step. */
export function backoff(attempt: number, mostMs = MOST_MS): number {
  return Math.random() * Math.min(mostMs, MOST_MS, FIRST_MS * 2 ** Math.min(attempt, 20));
}

/** Milliseconds that a timer takes, of a number that came from the broker or a caller. */
export function boundedMs(ms: number): number {
  return Number.isNaN(ms) ? 0 : Math.min(Math.max(ms, 0), MOST_TIMER_MS);
}

/** When the next socket may be opened: at once after a socket that served, later and later after those that did not. */
export class Pace {
  readonly #mostMs: number;
  #failures = 0;
  #notBefore = 0;

  /** @param mostMs the longest pause between two sockets, in milliseconds */
  constructor(mostMs: number) {
    this.#mostMs = mostMs;
  }

  /** Milliseconds until the next socket may be opened. */
  get waitMs(): number {
    return Math.max(0, this.#notBefore - performance.now());
  }

  served(): void {
    this.#failures = 0;
  }

  failed(): void {
    this.#failures += 1;
    this.#notBefore = performance.now() + backoff(this.#failures, this.#mostMs);
  }
}

/** Waits, or rejects with the signal's reason. */
export function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const unlisten = onAbort(signal, () => {
      clearTimeout(timer);
      reject(signal.reason);
    });
    const timer = setTimeout(() => {
      unlisten();
      resolve();
    }, boundedMs(ms));
  });
}

/** Settles as the promise does, or rejects with the signal's reason as soon as it aborts. */
export function orAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) reject(signal.reason);
    const unlisten = onAbort(signal, () => reject(signal.reason));
    promise.then(resolve, reject).finally(unlisten);
  });
}
