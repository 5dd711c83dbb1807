import type { BrokerError } from '../../protocol/errors.js';
import { Listeners } from '../../runtime/listeners.js';
import type { Lane } from '../job.js';

/** A job that got its connection, after so many milliseconds. */
export interface Waited {
  server: string;
  lane: Lane;
  ms: number;
}

/** A login that was tried. */
export interface LoginTried {
  server: string;
  /** Milliseconds from the first packet on. */
  ms: number;
  /** Why the login failed: a BrokerError, or the reason of an abort; undefined when the login succeeded. */
  error: unknown;
}

/**
 * Why a connection ended: it broke, or its work was given up (discarded); it was idle for too long (reaped), too old
 * (retired), its slot was needed (evicted), or its account is not in use any more (closed).
 */
export type Ending = 'discarded' | 'reaped' | 'retired' | 'evicted' | 'closed';

/** Events of the pools, for metrics. */
export class PoolEvents {
  /** Commands that IMAP servers have answered. */
  commands = 0;
  readonly waits = new Listeners<Waited>();
  readonly logins = new Listeners<LoginTried>();
  /** Logins that were not tried, because the broker is backing off from their server. */
  readonly refusals = new Listeners<{ server: string; error: BrokerError }>();
  readonly endings = new Listeners<{ server: string; why: Ending }>();
}
