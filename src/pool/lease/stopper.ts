import { deadlineError } from '../account-errors.js';
import type { Job } from '../job.js';

/** Ends work before its time: when its job is aborted, at its deadline, or because its account is closed. */
export class Stopper {
  /** Made on the first use of `signal`: most work ends by itself, and {@link whenStopped} is cheaper. */
  #controller: AbortController | undefined;
  #stopped: { reason: unknown } | undefined;
  #onStop: ((reason: unknown) => void) | undefined;
  readonly #job: Pick<Job, 'signal' | 'deadlineAt'> | undefined;
  readonly #onAbort = () => this.stop(this.#job?.signal.reason);
  #deadlineAt = Number.POSITIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined;
  #ended = false;

  /** @param job whose abort signal and deadline stop the work; omitted for work that is done for no single job */
  constructor(job?: Pick<Job, 'signal' | 'deadlineAt'>) {
    this.#job = job;
    if (!job) return;
    job.signal.addEventListener('abort', this.#onAbort);
    this.extend(job.deadlineAt);
    if (job.signal.aborted) this.#onAbort();
  }

  /** Aborts with the reason of the stop. */
  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.#stopped) this.#controller.abort(this.#stopped.reason);
    return this.#controller.signal;
  }

  get stopped(): boolean {
    return this.#stopped !== undefined;
  }

  /** Sets the only listener, called when the work is stopped; at once if it was stopped before. */
  whenStopped(listener: (reason: unknown) => void): void {
    this.#onStop = listener;
    if (this.#stopped) listener(this.#stopped.reason);
  }

  get deadlineAt(): number {
    return this.#deadlineAt;
  }

  /** Moves the deadline; `Date.now()` based. */
  extend(deadlineAt: number): void {
    // Work that was given up may still run and ask for more time.
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
    if (this.#stopped) return;
    this.#stopped = { reason };
    this.#controller?.abort(reason);
    this.#onStop?.(reason);
  }

  /** The work has ended: removes the timer and the abort listener. */
  end(): void {
    this.#ended = true;
    clearTimeout(this.#timer);
    this.#job?.signal.removeEventListener('abort', this.#onAbort);
  }
}
