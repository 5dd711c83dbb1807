/** A limit learned from a server's refusal; without another refusal the limit climbs back slowly. */
export class LearnedLimit {
  readonly #climbMs: number;
  readonly #share: number;
  #value = Number.POSITIVE_INFINITY;
  /** `performance.now()` when the limit was learned, or last climbed. */
  #at = 0;

  /**
   * @param climbMs milliseconds without a refusal after which the limit climbs
   * @param share of the limit that is added at each climb; at least one connection is added
   */
  constructor(climbMs: number, share = 0) {
    this.#climbMs = climbMs;
    this.#share = share;
  }

  /** Infinity while nothing was learned, and when the limit has climbed beyond what any configuration allows. */
  get value(): number {
    const steps = Math.floor((performance.now() - this.#at) / this.#climbMs);
    if (this.#value === Number.POSITIVE_INFINITY || steps <= 0) return this.#value;
    this.#at += steps * this.#climbMs;
    for (let step = 0; step < steps && this.#value < Number.POSITIVE_INFINITY; step += 1) {
      this.#value += Math.max(1, Math.floor(this.#value * this.#share));
      if (this.#value > MOST) this.#value = Number.POSITIVE_INFINITY;
    }
    return this.#value;
  }

  /** The server refused one more connection than the `held` ones. */
  refused(held: number): void {
    this.#value = Math.max(1, held);
    this.#at = performance.now();
  }
}

/** More than any configuration allows. */
const MOST = 1_000_000;
