/** The last hour as the broker remembers it, asked for again when there is more of it. */
export class History {
  #call;
  #askedAt;
  #stepMs = 0;
  #figures;

  /** @param {(method: string, params?: object) => Promise<object>} call asks the broker */
  constructor(call) {
    this.#call = call;
  }

  /** The columns of figures, and when each figure was: another object where there is more than before. */
  async figures() {
    const now = performance.now();
    if (this.#askedAt === undefined || now - this.#askedAt >= this.#stepMs) {
      this.#askedAt = now;
      const { stepMs, endedAt, columns } = await this.#call('broker.history');
      this.#stepMs = stepMs;
      const last = Date.parse(endedAt ?? 0);
      const count = columns.running.length;
      const times = columns.running.map((_figure, at) => (last - (count - 1 - at) * stepMs) / 1000);
      this.#figures = { times, ...columns };
    }
    return this.#figures;
  }

  /** What comes next is asked for at once. */
  forget() {
    this.#askedAt = undefined;
  }
}
