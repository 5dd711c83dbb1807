import type { Job, Work } from '../job.js';
import type { NewestInSlot } from '../queue/newest-in-slot.js';
import { type Shared, SharedJob } from './shared-job.js';

type Run = <T>(job: Job, work: Work<T>) => Promise<T>;

/** The reads of an account that identical requests share, by key. Never more than the jobs that wait and run. */
export class SharedJobs {
  readonly #run: Run;
  readonly #slots: NewestInSlot;
  /** Reads whose work has not begun: their answer will be newer than any request that joins. */
  readonly #waiting = new Map<string, SharedJob>();
  /** Reads whose work began after the last write began or ended. */
  readonly #begun = new Map<string, SharedJob>();

  constructor(run: Run, slots: NewestInSlot) {
    this.#run = run;
    this.#slots = slots;
  }

  join<T>(key: string, job: Job, work: Work<T>, maxAgeMs: number): Promise<Shared<T>> {
    if (job.signal.aborted) return Promise.reject(job.signal.reason);
    const known = this.#waiting.get(key) ?? this.#youngerThan(maxAgeMs, key);
    if (known) return known.join(job);
    const shared = new SharedJob(job, this.#slots, () => this.#forget(key, shared));
    const joined = shared.join<T>(job);
    this.#waiting.set(key, shared);
    void this.#do(key, shared, work);
    return joined;
  }

  /** A write begins or ends: from now on no request joins a read that began before. */
  fence(): void {
    this.#begun.clear();
  }

  #youngerThan(maxAgeMs: number, key: string): SharedJob | undefined {
    if (maxAgeMs === 0) return undefined;
    const shared = this.#begun.get(key);
    return shared && performance.now() - (shared.begunAt ?? 0) <= maxAgeMs ? shared : undefined;
  }

  async #do<T>(key: string, shared: SharedJob, work: Work<T>): Promise<void> {
    const once: Work<T> = (connection, lease) => {
      if (shared.begunAt === undefined) {
        shared.begin();
        this.#waiting.delete(key);
        this.#begun.set(key, shared);
      }
      return work(connection, lease);
    };
    try {
      const value = await this.#run(shared.job, once);
      this.#forget(key, shared);
      shared.done(value);
    } catch (error) {
      this.#forget(key, shared);
      shared.failed(error);
    }
  }

  #forget(key: string, shared: SharedJob): void {
    if (this.#waiting.get(key) === shared) this.#waiting.delete(key);
    if (this.#begun.get(key) === shared) this.#begun.delete(key);
  }
}
