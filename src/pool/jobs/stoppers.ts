import type { Job } from './job.js';
import { Stopper } from './stopper.js';

/** What of an account is under way and can be stopped: jobs at work, logins, questions whether a connection lives. */
export class Stoppers {
  readonly #underWay = new Set<Stopper>();
  #stopped: { reason: unknown } | undefined;

  /** @param job whose abort and deadline count; none for what is done for nobody in particular */
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

  /** Stops all, and from now on whatever begins. */
  stop(reason: unknown): void {
    this.#stopped = { reason };
    this.stopPresent(reason);
  }

  /** Stops what is under way now. */
  stopPresent(reason: unknown): void {
    for (const stopper of [...this.#underWay]) stopper.stop(reason);
  }
}
