/** Waits so many milliseconds, or until the signal aborts. Does not keep the process alive. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, ms).unref();
    signal.addEventListener('abort', end);
  });
}

/**
 * Waits for an event, for at most `ms` milliseconds.
 * @param listen registers the callback of the event
 * @returns whether the event came in time
 */
export async function atMost(ms: number, listen: (onEvent: () => void) => void): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const inTime = await new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), ms);
    listen(() => resolve(true));
  });
  clearTimeout(timer);
  return inTime;
}

/** What the promise resolves to; rejects with the signal's reason as soon as the signal aborts. */
export function orAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason);
    signal.addEventListener('abort', onAbort);
    if (signal.aborted) onAbort();
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}
