/** Keeps the slowest entries of the last while, and nothing of the others. */
export class Slowest<T extends { ms: number }> {
  readonly #most: number;
  readonly #stepMs: number;
  readonly #steps: number;
  /** The slowest entries of each step, the slowest first; the youngest step last. */
  readonly #kept: { at: number; all: T[] }[] = [];

  /**
   * @param most how many entries are told, and kept of each step
   * @param spanMs milliseconds that entries are kept
   * @param steps in how many steps the oldest are forgotten
   */
  constructor(most: number, spanMs: number, steps: number) {
    this.#most = most;
    this.#stepMs = spanMs / steps;
    this.#steps = steps;
  }

  /** Keeps an entry if it is slow enough. @param ms milliseconds that it took @param make called for such an entry */
  add(ms: number, make: () => T): void {
    const at = this.#now;
    let step = this.#kept.at(-1);
    if (step?.at !== at) {
      this.#forget(at);
      step = { at, all: [] };
      this.#kept.push(step);
    }
    const { all } = step;
    if (all.length >= this.#most && ms <= (all.at(-1)?.ms ?? 0)) return;
    const before = all.findIndex((other) => other.ms < ms);
    all.splice(before < 0 ? all.length : before, 0, make());
    if (all.length > this.#most) all.pop();
  }

  /** The slowest entries, the slowest first. */
  get all(): T[] {
    this.#forget(this.#now);
    const all = this.#kept.flatMap((step) => step.all);
    return all.sort((one, other) => other.ms - one.ms).slice(0, this.#most);
  }

  get #now(): number {
    return Math.floor(performance.now() / this.#stepMs);
  }

  #forget(now: number): void {
    while (this.#kept[0] && this.#kept[0].at <= now - this.#steps) this.#kept.shift();
  }
}
