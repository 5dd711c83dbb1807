/** Calls a caller's callback: what it throws, at once or later, is the caller's, and must not end the socket of all calls. */
export function guarded(callback: () => unknown, onError: (error: unknown) => void = () => {}): void {
  try {
    const outcome = callback();
    if (outcome instanceof Promise) outcome.catch(onError);
  } catch (error) {
    onError(error);
  }
}
