/** Does work once for all callers that ask for it meanwhile; where the work fails, the next waiting caller does it. */
export class Turns {
  readonly #underWay = new Map<string, Promise<unknown>>();

  /**
   * @param existing what the work would find out, if it is known by now; it may throw
   * @param signal ends the wait for the work of another caller
   */
  async take<T>(key: string, signal: AbortSignal, existing: () => T | undefined, work: () => Promise<T>): Promise<T> {
    for (;;) {
      signal.throwIfAborted();
      const found = existing();
      if (found !== undefined) return found;
      const others = this.#underWay.get(key);
      if (!others) break;
      await others.catch(() => {});
    }
    const working = work();
    this.#underWay.set(key, working);
    try {
      return await working;
    } finally {
      this.#underWay.delete(key);
    }
  }
}
