import type { Sort } from '../../../protocol/criteria.js';
import type { SortKey } from '../../mime/sort-key.js';
import { breathe } from '../../wire/turn-budget.js';

/** Messages that are sorted in one step; longer lists are merged from such runs. */
const RUN = 1_024;
/** Merged messages after which other work may have its turn. */
const STEP = 2_048;

/** What decides an order: keys up to the uid, which decides between all messages, and the direction of the uid. */
export interface Order {
  keys: Sort[];
  /** Whether the uid is one of the keys, so that nothing after it matters. */
  descending: boolean;
}

/** Reads a `sort`: messages with equal keys are in the order of the folder, unless the uid is a key (RFC 5256 section 3). */
export function orderOf(sort: readonly Sort[]): Order {
  const at = sort.findIndex(({ by }) => by === 'uid');
  if (at < 0) return { keys: [...sort], descending: false };
  return { keys: sort.slice(0, at), descending: sort[at]?.descending ?? false };
}

/**
 * Puts uids, given ascending, in order by their keys. Merge sort in small steps: two hundred thousand messages take a
 * second, in which other work has its turns.
 * @param columns for each key of the order, the keys of all uids
 */
export async function inOrder(
  uids: readonly number[],
  columns: readonly (readonly SortKey[])[],
  { keys, descending }: Order,
): Promise<number[]> {
  const before = (a: number, b: number): number => {
    for (const [index, key] of keys.entries()) {
      const order = compare(columns[index]?.[a] ?? 0, columns[index]?.[b] ?? 0);
      if (order !== 0) return key.descending ? -order : order;
    }
    return descending ? b - a : a - b;
  };
  let from = Uint32Array.from(uids, (_, index) => index);
  for (let start = 0; start < from.length; start += RUN) {
    from.subarray(start, start + RUN).sort(before);
    await breathe();
  }
  let to = new Uint32Array(from.length);
  for (let width = RUN; width < from.length; width *= 2) {
    for (let start = 0; start < from.length; start += 2 * width) await mergeRuns(from, to, start, width, before);
    [from, to] = [to, from];
  }
  return Array.from(from, (index) => uids[index] ?? 0);
}

async function mergeRuns(
  from: Uint32Array,
  to: Uint32Array,
  start: number,
  width: number,
  before: (a: number, b: number) => number,
): Promise<void> {
  const middle = Math.min(start + width, from.length);
  const end = Math.min(start + 2 * width, from.length);
  let left = start;
  let right = middle;
  for (let at = start; at < end; at += 1) {
    const a = from[left] ?? 0;
    const b = from[right] ?? 0;
    const takesLeft = left < middle && (right >= end || before(a, b) <= 0);
    to[at] = takesLeft ? a : b;
    if (takesLeft) left += 1;
    else right += 1;
    if (at % STEP === 0) await breathe();
  }
}

function compare(a: SortKey, b: SortKey): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
