/** A token bucket without a timer: so many tokens a second on average, and as many at once as the bucket holds. */
export class TokenBucket {
  readonly #perSecond: number;
  readonly #size: number;
  #tokens: number;
  #at = performance.now();

  constructor(perSecond: number, size = perSecond) {
    this.#perSecond = perSecond;
    this.#size = size;
    this.#tokens = size;
  }

  /** Takes a token. @returns 0, or, when the bucket is empty, the milliseconds after which there is a token */
  take(): number {
    const now = performance.now();
    this.#tokens = Math.min(this.#size, this.#tokens + ((now - this.#at) / 1000) * this.#perSecond);
    this.#at = now;
    if (this.#tokens < 1) return Math.ceil(((1 - this.#tokens) / this.#perSecond) * 1000);
    this.#tokens -= 1;
    return 0;
  }
}
