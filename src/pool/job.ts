import type { ImapConnection } from '../imap/connection.js';

/** One request's work on an account. */
export interface Job {
  /** The method's name, for logs. */
  label: string;
  /** A read that loses its connection is repeated once on another; a write never is. */
  effect: 'read' | 'write';
  /** Folder that the work will select: an idle connection which has it selected already is preferred. */
  mailbox?: string | undefined;
  /** Ends the job at any stage: queued, connecting or running. Its reason is what `run` rejects with. */
  signal: AbortSignal;
  /** `Date.now()` by which the work must be done; then its connection is closed and the job fails with DEADLINE. */
  deadlineAt: number;
}

/** What the work of a job may do with its loan beside using the connection. */
export interface Lease {
  /** Moves the deadline: for streams, which may go on as long as bytes flow. `Date.now()` based. */
  extend(deadlineAt: number): void;
}

export type Work<T> = (connection: ImapConnection, lease: Lease) => Promise<T>;
