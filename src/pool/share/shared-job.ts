import type { BrokerError } from '../../protocol/errors.js';
import { Trace } from '../../runtime/trace.js';
import { deadlineError } from '../account-errors.js';
import type { Job } from '../job.js';
import type { NewestInSlot } from '../queue/newest-in-slot.js';

/** What came of a read, and whether another request had begun it. */
export interface Shared<T> {
  value: T;
  coalesced: boolean;
}

interface Joiner {
  job: Job;
  since: number;
  first: boolean;
  resolve(shared: Shared<unknown>): void;
  reject(error: unknown): void;
  onAbort(): void;
  onNewer(error: BrokerError): void;
}

/** One read for several requests. Each request leaves by its own signal or deadline; the read ends with the last. */
export class SharedJob {
  /** Collects what happens to the shared read. */
  readonly trace = new Trace();
  readonly #like: Job;
  readonly #controller = new AbortController();
  readonly #slots: NewestInSlot;
  readonly #onDeserted: () => void;
  readonly #joiners = new Set<Joiner>();
  #begunAt: number | undefined;
  /** One timer for all requests, at the earliest deadline. */
  #timer: NodeJS.Timeout | undefined;
  #timerAt = Number.POSITIVE_INFINITY;

  /**
   * @param like the job of the first request
   * @param onDeserted called when the last request has left, before the shared read is aborted
   */
  constructor(like: Job, slots: NewestInSlot, onDeserted: () => void) {
    this.#like = like;
    this.#slots = slots;
    this.#onDeserted = onDeserted;
  }

  /** The job that the account runs: without a deadline, because each waiting request has its own. */
  get job(): Job {
    const { label, effect, lane, mailbox, prefers, credentials } = this.#like;
    const { signal } = this.#controller;
    const like = { label, effect, lane, mailbox, prefers, credentials };
    return { ...like, trace: this.trace, signal, deadlineAt: Number.POSITIVE_INFINITY };
  }

  /** Number of requests that wait for the read. */
  get size(): number {
    return this.#joiners.size;
  }

  /** `performance.now()` when the work began for the first time. */
  get begunAt(): number | undefined {
    return this.#begunAt;
  }

  /** Waits for the read, under the signal, the deadline and the slot of this request. */
  join<T>(job: Job): Promise<Shared<T>> {
    return new Promise((resolve, reject) => {
      const joiner: Joiner = {
        job,
        since: performance.now(),
        first: this.#joiners.size === 0 && this.#begunAt === undefined,
        resolve: resolve as (shared: Shared<unknown>) => void,
        reject,
        onAbort: () => this.#leave(joiner, job.signal.reason),
        onNewer: (error) => this.#leave(joiner, error),
      };
      this.#joiners.add(joiner);
      job.signal.addEventListener('abort', joiner.onAbort);
      if (job.slot !== undefined && this.#begunAt === undefined) this.#slots.take(job.slot, joiner.onNewer);
      if (job.deadlineAt < this.#timerAt) this.#setTimer(job.deadlineAt);
    });
  }

  /** The work begins; called again when the work is repeated. */
  begin(): void {
    if (this.#begunAt !== undefined) return;
    this.#begunAt = performance.now();
    for (const { job, onNewer } of this.#joiners) if (job.slot !== undefined) this.#slots.leave(job.slot, onNewer);
  }

  done(value: unknown): void {
    for (const joiner of this.#joiners) {
      joiner.job.trace?.share(this.trace, this.#waitedMs(joiner));
      this.#forget(joiner);
      joiner.resolve({ value, coalesced: !joiner.first });
    }
    clearTimeout(this.#timer);
  }

  failed(error: unknown): void {
    for (const joiner of this.#joiners) {
      this.#forget(joiner);
      joiner.reject(error);
    }
    clearTimeout(this.#timer);
  }

  #leave(joiner: Joiner, error: unknown): void {
    this.#forget(joiner);
    joiner.reject(error);
    if (this.#joiners.size > 0) return;
    clearTimeout(this.#timer);
    this.#onDeserted();
    this.#controller.abort(error);
  }

  #forget(joiner: Joiner): void {
    const { signal, slot } = joiner.job;
    this.#joiners.delete(joiner);
    signal.removeEventListener('abort', joiner.onAbort);
    if (slot !== undefined) this.#slots.leave(slot, joiner.onNewer);
  }

  /** The part of the wait for a connection during which this request was waiting as well. */
  #waitedMs({ first, since }: Joiner): number {
    if (first) return this.trace.queueMs;
    return Math.min(this.trace.queueMs, Math.max(0, (this.#begunAt ?? since) - since));
  }

  #setTimer(at: number): void {
    clearTimeout(this.#timer);
    this.#timerAt = at;
    this.#timer = setTimeout(() => this.#expire(), Math.max(0, at - Date.now()));
  }

  #expire(): void {
    const now = Date.now();
    let next = Number.POSITIVE_INFINITY;
    for (const joiner of this.#joiners) {
      if (joiner.job.deadlineAt <= now) this.#leave(joiner, deadlineError());
      else next = Math.min(next, joiner.job.deadlineAt);
    }
    this.#timerAt = Number.POSITIVE_INFINITY;
    if (next < Number.POSITIVE_INFINITY) this.#setTimer(next);
  }
}
