import { forEachRange } from '../imap/wire/sequence-set.js';

/** Most ranges that one set holds. */
const MOST_RANGES = 50_000;

/** A set of uids as the server writes it, `41,43:116`: a set may stand for billions, so it is never expanded. */
export class UidRanges {
  readonly #ranges: [number, number][] = [];
  /** Whether ranges were left out because the set is full. */
  full = false;

  add(set: string): void {
    forEachRange(set, (from, to) => this.addRange(from, to));
  }

  /** @returns false when the set is full */
  addRange(from: number, to: number): boolean {
    if (this.#ranges.length >= MOST_RANGES) this.full = true;
    else this.#ranges.push([Math.min(from, to), Math.max(from, to)]);
    return !this.full;
  }

  /** The uids below a bound as ascending ranges without overlaps. */
  mergedBelow(bound: number): [number, number][] {
    const merged: [number, number][] = [];
    for (const [from, end] of this.#ranges.toSorted((a, b) => a[0] - b[0])) {
      const to = Math.min(end, bound - 1);
      const last = merged.at(-1);
      if (from > to) continue;
      if (last && from <= last[1] + 1) last[1] = Math.max(last[1], to);
      else merged.push([from, to]);
    }
    return merged;
  }

  /** Number of uids in the set, each counted as often as it was added. */
  get size(): number {
    return this.#ranges.reduce((sum, [from, to]) => sum + to - from + 1, 0);
  }

  /** Number of uids in the set that are below a bound. */
  below(bound: number): number {
    return this.#ranges.reduce((sum, [from, to]) => sum + Math.max(0, Math.min(to, bound - 1) - from + 1), 0);
  }

  /** Which of the uids, given in ascending order, are in the set. */
  of(uids: readonly number[]): number[] {
    const found: number[] = [];
    // Ranges may overlap: in sorted order each uid is looked at once.
    let next = 0;
    for (const [from, to] of this.#ranges.toSorted((a, b) => a[0] - b[0])) {
      for (let at = Math.max(next, lowerBound(uids, from)); at < uids.length; at += 1) {
        const uid = uids[at] ?? Number.POSITIVE_INFINITY;
        if (uid > to) break;
        found.push(uid);
        next = at + 1;
      }
    }
    return found;
  }
}

/** Whether a uid is in ascending ranges without overlaps. */
export function isInRanges(ranges: readonly [number, number][], uid: number): boolean {
  let low = 0;
  let high = ranges.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((ranges[middle]?.[1] ?? 0) < uid) low = middle + 1;
    else high = middle;
  }
  const [from] = ranges[low] ?? [Number.POSITIVE_INFINITY];
  return from <= uid;
}

/** The index of the first of ascending numbers that is not below a bound. */
export function lowerBound(numbers: readonly number[], bound: number): number {
  let low = 0;
  let high = numbers.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((numbers[middle] ?? 0) < bound) low = middle + 1;
    else high = middle;
  }
  return low;
}
