import type { ImapConnection } from '../../imap/connection/connection.js';
import type { Credentials } from '../../imap/login/server-options.js';
import type { Trace } from '../../runtime/trace.js';

/**
 * `interactive` goes first; `bulk` never takes an account's last connection; `watch` has what nobody else needs and
 * gives it back when asked.
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
  /** Folder that the work will select: an idle connection which has it selected already is preferred. */
  mailbox?: string | undefined;
  /** Whether a connection is better still than one with the folder selected. Cheap and without effect: asked often. */
  prefers?: ((connection: ImapConnection) => boolean) | undefined;
  /** A newer job of the same slot ends this one with SUPERSEDED while its work has not begun. */
  slot?: string | undefined;
  /** What its session has proven: when the server refuses these, the job fails; when it refuses others of the account, it waits on. */
  credentials?: Credentials | undefined;
  /** It has lost a connection already: whether the next one answers is asked first, however fresh that seems. */
  repeated?: boolean;
  /** Collects what happens to the job. */
  trace?: Trace | undefined;
  /** Ends the job at any stage: queued, connecting or running. Its reason is what `run` rejects with. */
  signal: AbortSignal;
  /**
   * `Date.now()` by which the work must be done; then its connection is closed and the job fails with DEADLINE.
   * Infinity: the signal alone ends it.
   */
  deadlineAt: number;
}

/** What the work of a job may do with its loan beside using the connection. */
export interface Lease {
  /** Moves the deadline: for streams, which may go on as long as bytes flow. `Date.now()` based. */
  extend(deadlineAt: number): void;
  /** Aborts when somebody else needs the connection: only in the lane `watch`, which must then end its work soon. */
  readonly wanted: AbortSignal;
}

export type Work<T> = (connection: ImapConnection, lease: Lease) => Promise<T>;
