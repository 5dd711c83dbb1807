import { wireLimits } from './limits.js';

/**
 * The time that one turn of the event loop may spend on data from IMAP servers. All connections share the budget:
 * however many servers flood at once, other work is delayed by a few milliseconds only.
 */
class TurnBudget {
  #begunAt = 0;
  #counting = false;
  /** Whether deferred work has waited for one turn of the loop that had no time left. */
  #waited = false;
  readonly #deferred: (() => void)[] = [];

  /** Whether this turn has spent its time; the first call in a turn starts the clock. */
  get spent(): boolean {
    const now = performance.now();
    if (this.#counting) return now - this.#begunAt > wireLimits.turnMs;
    this.#begin(now);
    return false;
  }

  /** Starts the clock of this turn, unless it runs already: for long work before the first use of {@link spent}. */
  begin(): void {
    if (!this.#counting) this.#begin(performance.now());
  }

  /** Runs work in the next turn that has time for it, in the order in which it was deferred. */
  defer(work: () => void): void {
    this.#deferred.push(work);
    this.begin();
  }

  #begin(now: number): void {
    this.#counting = true;
    this.#begunAt = now;
    setImmediate(() => this.#next());
  }

  #next(): void {
    // The sockets of this turn may have spent its time already: deferred work would double it.
    const waits = !this.#waited && this.spent;
    this.#counting = false;
    if (this.#deferred.length === 0) return;
    this.#begin(performance.now());
    this.#waited = waits;
    if (waits) return;
    // At least one piece of work, to make progress.
    do this.#deferred.shift()?.();
    while (this.#deferred.length > 0 && !this.spent);
  }
}

export const turnBudget = new TurnBudget();

/** Waits for the next turn if this turn has spent its time. For loops whose length a server or a mail determines. */
export function breathe(): Promise<void> | undefined {
  if (!turnBudget.spent) return undefined;
  return new Promise((resolve) => turnBudget.defer(resolve));
}
