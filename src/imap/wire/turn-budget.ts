import { wireLimits } from './limits.js';

/** A turn of more milliseconds is followed by a rest that is as long, within a bound: a single step took that long. */
const LONG_MS = 20;
const MOST_REST_MS = 50;

/**
 * The time that one turn of the event loop may spend on data from IMAP servers. All connections share the budget:
 * however many servers flood at once, other work is delayed by a few milliseconds only.
 */
class TurnBudget {
  #begunAt = 0;
  #counting = false;
  /** Whether deferred work has let a turn pass. */
  #waited = false;
  #resting = false;
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
    const tookMs = performance.now() - this.#begunAt;
    this.#counting = false;
    if (this.#deferred.length === 0 || this.#resting) return;
    if (tookMs > LONG_MS) this.#rest(Math.min(tookMs, MOST_REST_MS));
    // The sockets of this turn may have spent its time already: deferred work would double it.
    else if (tookMs > wireLimits.turnMs && !this.#waited) this.#wait();
    else this.#work();
  }

  /** Lets the next turn pass first. */
  #wait(): void {
    this.#waited = true;
    this.#begin(performance.now());
  }

  /** Leaves the next milliseconds to others: a request of another user needs several turns until it is answered. */
  #rest(ms: number): void {
    this.#resting = true;
    setTimeout(() => {
      this.#resting = false;
      this.#work();
    }, ms);
  }

  #work(): void {
    this.#waited = false;
    this.#begin(performance.now());
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
