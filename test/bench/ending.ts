/** What has to be ended, the last one first, whatever happens in between. */
export class Ending {
  readonly #steps: (() => unknown)[] = [];

  /** Remembers how to end something that was started. */
  later(step: () => unknown): void {
    this.#steps.push(step);
  }

  /** Ends all that was not ended yet; what cannot be ended does not keep the rest from it. */
  async run(): Promise<void> {
    for (let step = this.#steps.pop(); step; step = this.#steps.pop()) {
      try {
        await step();
      } catch (failure) {
        process.stderr.write(`${failure}\n`);
      }
    }
  }

  /** Ends what the work started when it is done, or before that together with everything. */
  async scope<T>(work: (inner: Ending) => Promise<T>): Promise<T> {
    const inner = new Ending();
    this.later(() => inner.run());
    try {
      return await work(inner);
    } finally {
      await inner.run();
    }
  }
}
