import type { Job } from './job.js';
import { deadlineError } from './waiter.js';

/** Ends work before its time: when its job is aborted, at its deadline, or because its account is closed. */
export class Stopper {
  readonly #controller = new AbortController();
  readonly #job: Pick<Job, 'signal' | 'deadlineAt'> | undefined;
  readonly #onAbort = () => this.stop(this.#job?.signal.reason);
  #deadlineAt = Number.POSITIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined;
  #ended = false;

  /** @param job whose abort and deadline count; none for what is done for nobody in particular */
  constructor(job?: Pick<Job, 'signal' | 'deadlineAt'>) {
    this.#job = job;
    if (!job) return;
    job.signal.addEventListener('abort', this.#onAbort);
    this.extend(job.deadlineAt);
    if (job.signal.aborted) this.#onAbort();
  }

  /** Aborts with the reason. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  get deadlineAt(): number {
    return this.#deadlineAt;
  }

  /** Moves the deadline; `Date.now()` based. */
  extend(deadlineAt: number): void {
    // Work that was given up may still be running.
    if (this.#ended) return;
    this.#deadlineAt = deadlineAt;
    clearTimeout(this.#timer);
    if (deadlineAt === Number.POSITIVE_INFINITY) return;
    this.#timer = setTimeout(() => this.stop(deadlineError()), Math.max(0, deadlineAt - Date.now()));
  }

  /** Moves the deadline, but never to a later time. */
  shorten(deadlineAt: number): void {
    if (deadlineAt < this.#deadlineAt) this.extend(deadlineAt);
  }

  stop(reason: unknown): void {
    this.end();
    this.#controller.abort(reason);
  }

  /** The work has ended: nothing is left behind. */
  end(): void {
    this.#ended = true;
    clearTimeout(this.#timer);
    this.#job?.signal.removeEventListener('abort', this.#onAbort);
  }
}
