interface Holder<T> {
  obj: T;
}

/** Chooses one of the idle resources, the one that was idle for the longest first; the last where it has no wish. */
export type Choice<T> = (idle: readonly T[]) => T | undefined;

/**
 * The collection of idle resources that is injected into generic-pool, which takes the head only: here `shift` takes the
 * one that the scheduler wants. A pool has a handful of connections, so an array is quick enough.
 */
class PreferringDeque<T> {
  readonly #choice: Choice<T>;
  readonly #items: Holder<T>[] = [];

  constructor(choice: Choice<T>) {
    this.#choice = choice;
  }

  get length(): number {
    return this.#items.length;
  }

  shift(): Holder<T> | undefined {
    const wanted = this.#choice(this.#items.map((item) => item.obj));
    const index = this.#items.findIndex((item) => item.obj === wanted);
    // The one used last is the likeliest to be alive, and lets the others grow idle until they are reaped.
    return index < 0 ? this.#items.pop() : this.#items.splice(index, 1)[0];
  }

  push(item: Holder<T>): void {
    this.#items.push(item);
  }

  /** generic-pool gives back by `unshift` or `push`, by its `fifo` option; the order here is always by time. */
  unshift(item: Holder<T>): void {
    this.#items.push(item);
  }

  iterator(): Iterator<Holder<T>> {
    return this.#items[Symbol.iterator]();
  }
}

/** What generic-pool makes its collection with; a class for each account would take more memory than all its items. */
export function preferringDeque<T>(choice: Choice<T>): new () => unknown {
  const Deque: new (choice: Choice<T>) => PreferringDeque<T> = PreferringDeque;
  return Deque.bind(undefined, choice);
}
