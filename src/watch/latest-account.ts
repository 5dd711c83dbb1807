import type { Job, Work } from '../pool/job.js';
import type { AccountHandle } from './types.js';

/** The account handle of the most recent request: the credentials of an earlier one may be out of date. */
export class LatestAccount implements AccountHandle {
  latest: AccountHandle;

  constructor(account: AccountHandle) {
    this.latest = account;
  }

  get key(): string {
    return this.latest.key;
  }

  get slots(): AccountHandle['slots'] {
    return this.latest.slots;
  }

  run<T>(job: Job, work: Work<T>): Promise<T> {
    return this.latest.run(job, work);
  }
}
