import type { ImapConnection } from '../imap/connection/connection.js';
import type { Credentials } from '../imap/login/server-options.js';
import type { Trace } from '../runtime/trace.js';

/**
 * `interactive` goes first; `bulk` never takes an account's last connection; `watch` gets a connection only when no
 * other job needs one, and gives it back when asked.
 */
export type Lane = 'interactive' | 'bulk' | 'watch';

/** One request's work on an account. */
export interface Job {
  /** The method's name, for logs. */
  label: string;
  /** A read that loses its connection is repeated once on another; a write never is. */
  effect: 'read' | 'write';
  /** Default: interactive. */
  lane?: Lane | undefined;
  /** Folder that the work will select: an idle connection that has the folder selected already is preferred. */
  mailbox?: string | undefined;
  /** Whether a connection suits better than one with the folder selected. Cheap and pure: called often. */
  prefers?: ((connection: ImapConnection) => boolean) | undefined;
  /** A newer job of the same slot ends this one with SUPERSEDED while its work has not begun. */
  slot?: string | undefined;
  /**
   * The credentials that the job's session has proven. When the server refuses these, the job fails; when the server
   * refuses other credentials of the account, the job keeps waiting.
   */
  credentials?: Credentials | undefined;
  /** The job has lost a connection already: the next connection must answer a NOOP first, unless it is a new one. */
  repeated?: boolean;
  /** Collects what happens to the job. */
  trace?: Trace | undefined;
  /** Ends the job at any stage: queued, connecting or running. `run` rejects with the reason of the signal. */
  signal: AbortSignal;
  /**
   * `Date.now()` by which the work must be done; then its connection is closed and the job fails with DEADLINE.
   * Infinity: only the signal ends the job.
   */
  deadlineAt: number;
}

/** What the work of a job may do with its loan besides using the connection. */
export interface Lease {
  /** Moves the deadline: for streams, which may go on as long as bytes flow. `Date.now()` based. */
  extend(deadlineAt: number): void;
  /** Aborts when another job needs the connection: only in the lane `watch`, whose work must then end soon. */
  readonly wanted: AbortSignal;
}

export type Work<T> = (connection: ImapConnection, lease: Lease) => Promise<T>;
