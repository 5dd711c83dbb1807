/** A value that a reload replaces. Its readers keep the `Live` and look the value up at each use. */
export class Live<T> {
  #now: T;

  constructor(value: T) {
    this.#now = value;
  }

  get now(): T {
    return this.#now;
  }

  replace(value: T): void {
    this.#now = value;
  }
}

/** A {@link Live} value for code that only reads it. */
export type Current<T> = Pick<Live<T>, 'now'>;
