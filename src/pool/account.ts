import type { Job, Work } from './job.js';

/** (tenant, server, user): owns one pool. */
export interface Account {
  readonly key: string;
  /**
   * Runs work on a leased connection.
   * @throws BrokerError POOL_EXHAUSTED, UPSTREAM_UNAVAILABLE, IMAP_AUTH_FAILED, CONNECTION_LOST, DEADLINE, the job
   * signal's reason, or what the work throws; `executed` says whether one of its writes may have happened
   */
  run<T>(job: Job, work: Work<T>): Promise<T>;
}
