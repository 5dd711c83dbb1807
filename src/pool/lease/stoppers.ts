import type { Job } from '../job.js';
import { Stopper } from './stopper.js';

/** The work of an account that is under way and can be stopped: jobs, logins, checks that a connection lives. */
export class Stoppers {
  readonly #underWay = new Set<Stopper>();
  #stopped: { reason: unknown } | undefined;

  /** @param job whose abort signal and deadline stop the work; omitted for work that is done for no single job */
  begin(job?: Pick<Job, 'signal' | 'deadlineAt'>): Stopper {
    const stopper = new Stopper(job);
    this.#underWay.add(stopper);
    if (this.#stopped) stopper.stop(this.#stopped.reason);
    return stopper;
  }

  end(stopper: Stopper): void {
    stopper.end();
    this.#underWay.delete(stopper);
  }

  /** Stops all work that is under way, and all work that begins from now on. */
  stop(reason: unknown): void {
    this.#stopped = { reason };
    this.stopPresent(reason);
  }

  /** Stops the work that is under way now. */
  stopPresent(reason: unknown): void {
    for (const stopper of [...this.#underWay]) stopper.stop(reason);
  }
}
