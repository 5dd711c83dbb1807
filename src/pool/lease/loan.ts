import type { ImapConnection } from '../../imap/connection/connection.js';
import { BrokerError } from '../../protocol/errors.js';
import type { Lane, Lease, Work } from '../job.js';
import type { Ending } from '../observe/pool-events.js';
import type { Stopper } from './stopper.js';

/** Milliseconds that a watch has to give its connection back once asked; then the connection is closed. */
const YIELD_MS = 2_000;
/** Milliseconds that a job waits only for a watch's connection; after that the job takes any other as well. */
export const PATIENCE_MS = 250;

/** A connection on loan: in which lane, since when, and how the connection is asked back. */
export class Loan implements Lease {
  readonly connection: ImapConnection;
  readonly lane: Lane;
  readonly since = performance.now();
  /** Milliseconds that the connection's login took, if this loan is its first; else 0. */
  readonly loginMs: number;
  /** Whether the connection was not lent before. */
  readonly isFirst: boolean;
  /** Why the connection is ended when it comes back; undefined when it is kept. */
  leaving: Ending | undefined;
  #askedAt = Number.POSITIVE_INFINITY;
  #wanted: AbortController | undefined;
  #stopper: Stopper | undefined;
  #patience: NodeJS.Timeout | undefined;

  /** @param loginMs undefined where the connection was lent before */
  constructor(connection: ImapConnection, lane: Lane, loginMs: number | undefined) {
    this.connection = connection;
    this.lane = lane;
    this.loginMs = loginMs ?? 0;
    this.isFirst = loginMs !== undefined;
  }

  get wanted(): AbortSignal {
    this.#wanted ??= new AbortController();
    if (this.asked) this.#wanted.abort();
    return this.#wanted.signal;
  }

  get asked(): boolean {
    return this.#askedAt < Number.POSITIVE_INFINITY;
  }

  /** Whether the connection was asked back so long ago that jobs no longer wait for it alone. */
  get overdue(): boolean {
    return performance.now() - this.#askedAt >= PATIENCE_MS;
  }

  /** Asks for the connection back. @param onOverdue called once, unless the connection has come back by then */
  ask(onOverdue: () => void): void {
    if (this.asked) return;
    this.#askedAt = performance.now();
    this.#stopper?.shorten(Date.now() + YIELD_MS);
    this.#patience = setTimeout(onOverdue, PATIENCE_MS + 1);
    this.#wanted?.abort();
  }

  /** The work begins, under this stopper. */
  begin(stopper: Stopper): void {
    this.#stopper = stopper;
    if (this.asked) stopper.shorten(Date.now() + YIELD_MS);
  }

  extend(deadlineAt: number): void {
    if (!this.asked) this.#stopper?.extend(deadlineAt);
  }

  end(): void {
    clearTimeout(this.#patience);
  }
}

/** What became of a loan: the work's result or error, and whether the connection may be lent again. */
export type Outcome<T> =
  | { ok: true; value: T; reusable: boolean }
  | { ok: false; error: unknown; wrote: boolean; reusable: boolean };

/** A refusal says itself whether the write was executed; every other failure of a write leaves that open. */
const refusals = new Set(['IMAP_NO', 'NOT_FOUND', 'STATE_CHANGED', 'INVALID_PARAMS', 'UNSUPPORTED']);

/**
 * Does work on a lent connection. When the work is stopped, the caller has its answer at once and the connection is
 * closed: there is no other way to stop a command that is on the wire.
 */
export async function workOn<T>(loan: Loan, stopper: Stopper, work: Work<T>): Promise<Outcome<T>> {
  const { connection } = loan;
  const before = connection.writes;
  const stopped = new Promise<never>((_resolve, reject) => stopper.whenStopped(reject));
  loan.begin(stopper);
  const running = Promise.resolve().then(() => (stopper.stopped ? stopped : work(connection, loan)));
  const healthy = () => connection.usable && connection.quiet;
  try {
    return { ok: true, value: await Promise.race([running, stopped]), reusable: healthy() };
  } catch (failure) {
    if (stopper.stopped) connection.close();
    const begun = connection.writes.begun > before.begun;
    const done = connection.writes.done > before.done;
    return { ok: false, error: judged(failure, begun, done), wrote: begun, reusable: healthy() };
  } finally {
    stopper.end();
  }
}

function judged(failure: unknown, begun: boolean, done: boolean): unknown {
  if (!(failure instanceof BrokerError)) return failure;
  if (failure.executed === 'yes') return failure;
  if (done) return failure.withExecuted('maybe');
  if (!begun) return failure.withExecuted('no');
  return refusals.has(failure.kind) ? failure : failure.withExecuted('maybe');
}
