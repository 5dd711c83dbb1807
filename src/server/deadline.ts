import { BrokerError, type Executed } from '../protocol/errors.js';

export interface Deadline {
  timeoutMs: number;
  /** What is to be said of work that was given up and did not say itself what it had done. */
  executed: Executed;
  /** Ends the work before its time; its reason is a BrokerError. */
  signal: AbortSignal;
}

/**
 * Runs work that is answered in time even if it does not heed its signal.
 * @throws BrokerError DEADLINE, the signal's reason, or what the work throws
 */
export async function withDeadline<T>(
  { timeoutMs, executed, signal: outer }: Deadline,
  work: (signal: AbortSignal, deadlineAt: number) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  const { signal } = controller;
  const forward = () => controller.abort(outer.reason);
  const late = () => controller.abort(new BrokerError('DEADLINE', `No answer within ${timeoutMs} ms.`));
  const timer = setTimeout(late, timeoutMs);
  outer.addEventListener('abort', forward);
  if (outer.aborted) forward();
  const givenUp = new Promise<never>((_resolve, reject) => {
    signal.addEventListener('abort', () => {
      // What heeds the signal knows better what was executed, so it has a turn to say so.
      setImmediate(() => reject((signal.reason as BrokerError).withExecuted(executed)));
    });
  });
  givenUp.catch(() => {});
  try {
    // Begun in this very tick: an upload must be accepted before its first frame, which may be right behind.
    const working = (async () => {
      signal.throwIfAborted();
      return work(signal, Date.now() + timeoutMs);
    })();
    working.catch(() => {});
    return await Promise.race([working, givenUp]);
  } finally {
    clearTimeout(timer);
    outer.removeEventListener('abort', forward);
  }
}
