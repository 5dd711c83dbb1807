/** Timers that the broker and its libraries started and that neither fired nor were cleared, each by who started it. */
export class Timers {
  readonly #running = new Map<unknown, string>();
  readonly #originals = { setTimeout, setInterval, clearTimeout, clearInterval };

  /** Watches from now on. The test's own timers and those of its runner do not count. */
  constructor() {
    const { setTimeout, setInterval, clearTimeout, clearInterval } = this.#originals;
    const running = this.#running;
    const note = (timer: unknown) => {
      const [, caller = ''] = /\((?:file:\/\/)?\S*\/((?:src|imapflow|generic-pool|ws)\/[^)]+)\)/.exec(stack()) ?? [];
      if (caller) running.set(timer, caller);
      return timer;
    };
    const timeout = (callback: (...args: unknown[]) => void, ms?: number, ...args: unknown[]) => {
      const timer: unknown = setTimeout(() => {
        running.delete(timer);
        callback(...args);
      }, ms);
      return note(timer);
    };
    const interval = (callback: () => void, ms?: number, ...args: []) => note(setInterval(callback, ms, ...args));
    const clear = (original: (timer?: NodeJS.Timeout) => void) => (timer?: NodeJS.Timeout) => {
      running.delete(timer);
      original(timer);
    };
    Object.assign(globalThis, {
      setTimeout: timeout,
      setInterval: interval,
      clearTimeout: clear(clearTimeout),
      clearInterval: clear(clearInterval),
    });
  }

  get running(): string[] {
    return [...this.#running.values()];
  }

  restore(): void {
    Object.assign(globalThis, this.#originals);
  }
}

function stack(): string {
  return new Error().stack?.split('\n').slice(3, 5).join('\n') ?? '';
}
