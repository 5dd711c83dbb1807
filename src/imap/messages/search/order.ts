import type { Sort } from '../../../protocol/criteria.js';
import type { SortKey } from '../../mime/sort-key.js';
import { sortInTurns } from '../../wire/sort-in-turns.js';

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
 * Puts uids in order by their keys, in turns: two hundred thousand messages take a second.
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
  const places = await sortInTurns(
    uids.map((_, index) => index),
    before,
  );
  return places.map((index) => uids[index] ?? 0);
}

function compare(a: SortKey, b: SortKey): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
