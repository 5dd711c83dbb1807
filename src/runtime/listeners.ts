/** The listeners of an event: functions that are called with its value. */
export class Listeners<T> {
  readonly #all = new Set<(value: T) => void>();

  /** Whether there are any listeners: without them the value need not be put together. */
  get any(): boolean {
    return this.#all.size > 0;
  }

  /** @returns a function that removes the listener */
  add(listener: (value: T) => void): () => void {
    this.#all.add(listener);
    return () => this.#all.delete(listener);
  }

  tell(value: T): void {
    for (const listener of this.#all) listener(value);
  }
}
