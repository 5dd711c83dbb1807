interface Holder<T> {
  obj: T;
}

/** Chooses one of the idle resources, given the longest idle first; for `undefined` the last resource is taken. */
export type Choice<T> = (idle: readonly T[]) => T | undefined;

/**
 * The collection of idle resources that is injected into generic-pool, which takes the head only: here `shift` takes
 * the resource that the scheduler wants. A pool has a handful of connections, so an array is fast enough.
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
    // The resource used last is the likeliest to be alive; the others stay idle until they are reaped.
    return index < 0 ? this.#items.pop() : this.#items.splice(index, 1)[0];
  }

  push(item: Holder<T>): void {
    this.#items.push(item);
  }

  /** generic-pool returns a resource by `unshift` or `push`, by its `fifo` option; the order here is always by time. */
  unshift(item: Holder<T>): void {
    this.#items.push(item);
  }

  iterator(): Iterator<Holder<T>> {
    return this.#items[Symbol.iterator]();
  }
}

/** The constructor that generic-pool calls; bound, as one class per account would take more memory than its items. */
export function preferringDeque<T>(choice: Choice<T>): new () => unknown {
  const Deque: new (choice: Choice<T>) => PreferringDeque<T> = PreferringDeque;
  return Deque.bind(undefined, choice);
}
