import { breathe } from './turn-budget.js';

/** Members that are sorted at once; more are sorted in parts, which are then merged. */
const PART = 2_000;
/** Members that are merged before the turn may end. */
const PACE = 500;

/** Sorts as `toSorted` does, but in turns: hundreds of thousands of members take longer than a turn may. Stable. */
export async function sortInTurns<T>(members: readonly T[], compare: (a: T, b: T) => number): Promise<T[]> {
  let parts: T[][] = [];
  for (let from = 0; from < members.length; from += PART) {
    parts.push(members.slice(from, from + PART).sort(compare));
    await breathe();
  }
  while (parts.length > 1) {
    const merged: T[][] = [];
    for (let at = 0; at < parts.length; at += 2) {
      const [left = [], right] = parts.slice(at, at + 2);
      merged.push(right ? await merge(left, right, compare) : left);
    }
    parts = merged;
  }
  return parts[0] ?? [];
}

async function merge<T>(left: readonly T[], right: readonly T[], compare: (a: T, b: T) => number): Promise<T[]> {
  const result: T[] = [];
  let [i, j] = [0, 0];
  while (i < left.length || j < right.length) {
    const takesLeft = j >= right.length || (i < left.length && compare(left[i] as T, right[j] as T) <= 0);
    result.push((takesLeft ? left[i++] : right[j++]) as T);
    if (result.length % PACE === 0) await breathe();
  }
  return result;
}
