/** Uids in few bytes, as there may be a million: a `Set` takes ten times as many, and a tenth of a second to fill. */
export class SortedUids {
  readonly #uids: Uint32Array;

  /** @param uids ascending */
  constructor(uids: readonly number[]) {
    this.#uids = Uint32Array.from(uids);
  }

  get bytes(): number {
    return this.#uids.byteLength;
  }

  has(uid: number): boolean {
    let low = 0;
    let high = this.#uids.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#uids[middle] ?? 0) < uid) low = middle + 1;
      else high = middle;
    }
    return this.#uids[low] === uid;
  }
}
