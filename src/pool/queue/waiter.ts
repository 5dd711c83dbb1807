import { BrokerError } from '../../protocol/errors.js';
import { deadlineError } from '../account-errors.js';
import type { Job } from '../job.js';

/** A job's place in its account's queue: for the loan of a connection, or for a slot to open a new one in. */
export class Waiter<T> {
  readonly wants: 'loan' | 'slot';
  readonly job: Job;
  readonly promise: Promise<T>;
  #resolve!: (value: T) => void;
  #reject!: (error: unknown) => void;
  #settled = false;
  readonly since = performance.now();
  /** Why no connection is to be had, where that is known: the error of a wait that times out. */
  obstacle: BrokerError | undefined;
  readonly #timer: NodeJS.Timeout | undefined;
  readonly #leave: (waiter: Waiter<T>) => void;
  readonly #onAbort = () => this.reject(this.job.signal.reason);

  /**
   * @param acquireTimeoutMs longest wait, which may be Infinity
   * @param leave takes the waiter out of its queue; called as soon as the waiter is served or gives up
   */
  constructor(wants: 'loan' | 'slot', job: Job, acquireTimeoutMs: number, leave: (waiter: Waiter<T>) => void) {
    this.wants = wants;
    this.job = job;
    this.#leave = leave;
    this.promise = new Promise<T>((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    const untilDeadline = job.deadlineAt - Date.now();
    const waitMs = Math.min(untilDeadline, acquireTimeoutMs);
    if (waitMs < Number.POSITIVE_INFINITY) {
      this.#timer = setTimeout(
        () =>
          this.reject(
            this.obstacle ?? (untilDeadline <= acquireTimeoutMs ? deadlineError() : waitedError(acquireTimeoutMs)),
          ),
        Math.max(0, waitMs),
      );
    }
    job.signal.addEventListener('abort', this.#onAbort);
    if (job.signal.aborted) this.#onAbort();
  }

  get waitedMs(): number {
    return performance.now() - this.since;
  }

  get settled(): boolean {
    return this.#settled;
  }

  /** @returns false when the waiter gave up before, so that the value still belongs to the caller */
  resolve(value: T): boolean {
    if (!this.#settle()) return false;
    this.#resolve(value);
    return true;
  }

  reject(error: unknown): void {
    if (this.#settle()) this.#reject(error);
  }

  #settle(): boolean {
    if (this.#settled) return false;
    this.#settled = true;
    clearTimeout(this.#timer);
    this.job.signal.removeEventListener('abort', this.#onAbort);
    this.#leave(this);
    return true;
  }
}

function waitedError(acquireTimeoutMs: number): BrokerError {
  return new BrokerError('POOL_EXHAUSTED', `No IMAP connection became free within ${acquireTimeoutMs} ms.`, {
    retryAfterMs: 1000,
  });
}
