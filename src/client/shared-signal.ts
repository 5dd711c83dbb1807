/** Node warns of a leak at eleven listeners of a signal, which hundreds of calls may share: each signal gets one. */
const shared = new WeakMap<AbortSignal, { callbacks: Set<() => void>; fire: () => void }>();

/** Calls back once when the signal aborts, never where it has aborted already. @returns a function that stops that */
export function onAbort(signal: AbortSignal, callback: () => void): () => void {
  const { callbacks, fire } = shared.get(signal) ?? listen(signal);
  // A function of its own: the same callback may be given twice.
  const one = () => callback();
  callbacks.add(one);
  return () => {
    callbacks.delete(one);
    if (callbacks.size > 0 || shared.get(signal)?.callbacks !== callbacks) return;
    shared.delete(signal);
    signal.removeEventListener('abort', fire);
  };
}

function listen(signal: AbortSignal) {
  const callbacks = new Set<() => void>();
  const fire = () => {
    for (const callback of callbacks) callback();
  };
  signal.addEventListener('abort', fire, { once: true });
  const entry = { callbacks, fire };
  shared.set(signal, entry);
  return entry;
}
