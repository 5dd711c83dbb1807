import { wireLimits } from './limits.js';

/**
 * The time that one turn of the event loop may spend on what IMAP servers send. All connections share it: however many
 * servers flood at once, other work is reached after a few milliseconds.
 */
class TurnBudget {
  #begunAt = 0;
  #counting = false;
  readonly #deferred: (() => void)[] = [];

  /** Whether this turn has spent its time; the first question of a turn begins to count. */
  get spent(): boolean {
    const now = performance.now();
    if (this.#counting) return now - this.#begunAt > wireLimits.turnMs;
    this.#begin(now);
    return false;
  }

  /** Begins to count where this turn does not yet: for work that may be long before it asks. */
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
    this.#counting = false;
    if (this.#deferred.length === 0) return;
    this.#begin(performance.now());
    // One piece of work at least, or nothing would ever go on.
    do this.#deferred.shift()?.();
    while (this.#deferred.length > 0 && !this.spent);
  }
}

export const turnBudget = new TurnBudget();

/** Waits for the next turn where this one has spent its time. For loops over what a server or a mail made long. */
export function breathe(): Promise<void> | undefined {
  if (!turnBudget.spent) return undefined;
  return new Promise((resolve) => turnBudget.defer(resolve));
}
