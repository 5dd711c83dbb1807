/** Calls a callback of the caller: what it throws, at once or later, must not end the socket that all calls share. */
export function guarded(callback: () => unknown, onError: (error: unknown) => void = () => {}): void {
  try {
    const outcome = callback();
    if (outcome instanceof Promise) outcome.catch(onError);
  } catch (error) {
    onError(error);
  }
}
