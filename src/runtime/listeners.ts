/** Those who want to hear of something. */
export class Listeners<T> {
  readonly #all = new Set<(value: T) => void>();

  /** Whether anybody listens: what nobody hears need not be put together. */
  get any(): boolean {
    return this.#all.size > 0;
  }

  /** @returns a function that ends it */
  add(listener: (value: T) => void): () => void {
    this.#all.add(listener);
    return () => this.#all.delete(listener);
  }

  tell(value: T): void {
    for (const listener of this.#all) listener(value);
  }
}
