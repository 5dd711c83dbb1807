import type { ImapConnection } from '../imap/connection.js';
import { BrokerError } from '../protocol/errors.js';
import type { Work } from './job.js';
import type { Stopper } from './stopper.js';

/** What became of a loan: the work's result or error, and whether the connection may be lent again. */
export type Outcome<T> =
  | { ok: true; value: T; reusable: boolean }
  | { ok: false; error: unknown; wrote: boolean; reusable: boolean };

/** Refusals say themselves whether anything was executed; every other failure of a write leaves that open. */
const refusals = new Set(['IMAP_NO', 'NOT_FOUND', 'STATE_CHANGED', 'INVALID_PARAMS']);

/**
 * Does work on a lent connection. When it is stopped the caller has its answer at once and the connection is closed,
 * for there is no other way to stop a command that is on the wire.
 */
export async function workOn<T>(connection: ImapConnection, stopper: Stopper, work: Work<T>): Promise<Outcome<T>> {
  const before = connection.writes;
  const { signal } = stopper;
  let onStop = () => {};
  const stopped = new Promise<never>((_resolve, reject) => {
    onStop = () => reject(signal.reason);
    signal.addEventListener('abort', onStop);
    if (signal.aborted) onStop();
  });
  const running = Promise.resolve().then(() => {
    signal.throwIfAborted();
    return work(connection, { extend: (deadlineAt) => stopper.extend(deadlineAt) });
  });
  const healthy = () => connection.usable && connection.quiet;
  try {
    return { ok: true, value: await Promise.race([running, stopped]), reusable: healthy() };
  } catch (failure) {
    if (signal.aborted) connection.close();
    const begun = connection.writes.begun > before.begun;
    const done = connection.writes.done > before.done;
    return { ok: false, error: judged(failure, begun, done), wrote: begun, reusable: healthy() };
  } finally {
    stopper.end();
    signal.removeEventListener('abort', onStop);
  }
}

function judged(failure: unknown, begun: boolean, done: boolean): unknown {
  if (!(failure instanceof BrokerError)) return failure;
  if (failure.executed === 'yes') return failure;
  if (done) return failure.withExecuted('maybe');
  if (!begun) return failure.withExecuted('no');
  return refusals.has(failure.kind) ? failure : failure.withExecuted('maybe');
}
