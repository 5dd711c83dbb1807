import type { ImapConnection } from '../imap/connection.js';
import { BrokerError } from '../protocol/errors.js';
import type { Job, Work } from './job.js';
import { deadlineError } from './waiter.js';

/** What became of a loan: the work's result or error, and whether the connection may be lent again. */
export type Outcome<T> = { ok: true; value: T } | { ok: false; error: unknown; wrote: boolean; reusable: boolean };

/** Refusals say themselves whether anything was executed; every other failure of a write leaves that open. */
const refusals = new Set(['IMAP_NO', 'NOT_FOUND', 'STATE_CHANGED', 'INVALID_PARAMS']);

/**
 * Does the work of a job on its lent connection. On abort or deadline the caller has its answer at once and the
 * connection is closed, for there is no other way to stop a command that is on the wire.
 */
export async function workOn<T>(connection: ImapConnection, job: Job, work: Work<T>): Promise<Outcome<T>> {
  const before = connection.writes;
  const stop = stopper(job);
  const running = Promise.resolve().then(() => work(connection, { extend: stop.extend }));
  try {
    return { ok: true, value: await Promise.race([running, stop.promise]) };
  } catch (failure) {
    const stopped = stop.fired();
    if (stopped) {
      connection.close();
      running.catch(() => {});
    }
    const begun = connection.writes.begun > before.begun;
    const done = connection.writes.done > before.done;
    const error = judged(failure, begun, done);
    return { ok: false, error, wrote: begun, reusable: !stopped && connection.usable && connection.quiet };
  } finally {
    stop.end();
  }
}

function judged(failure: unknown, begun: boolean, done: boolean): unknown {
  if (!(failure instanceof BrokerError)) return failure;
  if (failure.executed === 'yes') return failure;
  if (done) return failure.withExecuted('maybe');
  if (!begun) return failure.withExecuted('no');
  return refusals.has(failure.kind) ? failure : failure.withExecuted('maybe');
}

function stopper(job: Job) {
  let fired = false;
  let timer: NodeJS.Timeout | undefined;
  let fail: (error: unknown) => void = () => {};
  const promise = new Promise<never>((_resolve, reject) => {
    fail = (error) => {
      fired = true;
      reject(error);
    };
  });
  promise.catch(() => {});
  const onAbort = () => fail(job.signal.reason);
  const extend = (deadlineAt: number) => {
    clearTimeout(timer);
    timer = setTimeout(() => fail(deadlineError()), Math.max(0, deadlineAt - Date.now()));
  };
  job.signal.addEventListener('abort', onAbort);
  if (job.signal.aborted) onAbort();
  extend(job.deadlineAt);
  const end = () => {
    clearTimeout(timer);
    job.signal.removeEventListener('abort', onAbort);
  };
  return { promise, extend, end, fired: () => fired };
}
