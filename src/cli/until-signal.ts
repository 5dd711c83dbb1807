const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Waits for a signal that tells the process to end, which then does not end the process by itself. */
export interface UntilSignal {
  /** Resolves with true at the signal, at once if it came before; with false after so many milliseconds without. */
  within(ms: number): Promise<boolean>;
  /** Signals end the process again. */
  dispose(): void;
}

export function untilSignal(): UntilSignal {
  let signalled = false;
  let wake = () => {};
  const onSignal = () => {
    signalled = true;
    wake();
  };
  for (const signal of SIGNALS) process.on(signal, onSignal);
  return {
    within: async (ms) => {
      if (signalled) return true;
      let timer: NodeJS.Timeout | undefined;
      await new Promise<void>((resolve) => {
        wake = resolve;
        timer = setTimeout(resolve, ms);
      });
      clearTimeout(timer);
      return signalled;
    },
    dispose: () => {
      for (const signal of SIGNALS) process.off(signal, onSignal);
    },
  };
}
