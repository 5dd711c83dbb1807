import { BrokerError, type Executed } from '../protocol/errors.js';

export interface Deadline {
  timeoutMs: number;
  /** The `executed` of work that was given up and does not say it itself; asked when the work is given up. */
  executed: () => Executed;
  /** Aborted with a BrokerError: by the caller to end the work before its time, and here at the deadline. */
  controller: AbortController;
}

/**
 * Runs work, and settles in time even if the work does not heed its signal.
 * @throws BrokerError DEADLINE, the signal's reason, or what the work throws
 */
export function withDeadline<T>(
  { timeoutMs, executed, controller }: Deadline,
  work: (signal: AbortSignal, deadlineAt: number) => Promise<T>,
): Promise<T> {
  const { signal } = controller;
  return new Promise<T>((resolve, reject) => {
    const late = () => controller.abort(new BrokerError('DEADLINE', `No answer within ${timeoutMs} ms.`));
    const timer = setTimeout(late, timeoutMs);
    const giveUp = () => {
      clearTimeout(timer);
      // Work that heeds the signal knows better what was executed, so it gets a turn of the event loop to say so.
      setImmediate(() => reject((signal.reason as BrokerError).withExecuted(executed())));
    };
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', giveUp);
    };
    signal.addEventListener('abort', giveUp);
    if (signal.aborted) giveUp();
    // The work begins in this very tick: an upload must be accepted before its first frame, which may be right behind.
    const working = (async () => {
      signal.throwIfAborted();
      return work(signal, Date.now() + timeoutMs);
    })();
    working.finally(end).then(resolve, reject);
  });
}
