import type { Sort } from '../../../protocol/criteria.js';
import type { ListField, MessageSummary } from '../../../protocol/rows.js';
import type { ImapConnection } from '../../connection/connection.js';
import { type SortKey, sortKey } from '../../mime/sort-key.js';
import { sequenceSets } from '../../wire/sequence-set.js';
import { breathe } from '../../wire/turn-budget.js';
import { FETCH_BATCH, fetchRange } from '../fetch.js';
import { survivingExpunge } from '../fetch-rows.js';
import { inOrder, orderOf } from './order.js';
import type { Keyed, SortKeys } from './sort-keys.js';

/** Messages in one FETCH of keys that are a number each: their responses are short. */
const SHORT_BATCH = 2_000;
/** Fetched keys that are added at once: an aborted fetch loses no more than these. */
const ADDED_AT_ONCE = 10_000;

const shortFields: Partial<Record<Sort['by'], ListField>> = { arrival: 'internalDate', size: 'size' };

/**
 * Sorts messages by keys that are fetched, unless they are kept already. Messages that are gone are left out.
 * @param uids ascending
 */
export async function sortInBroker(
  connection: ImapConnection,
  uids: readonly number[],
  sort: readonly Sort[],
  kept: SortKeys,
): Promise<number[]> {
  const order = orderOf(sort);
  for (const { by } of order.keys) await learnKeys(connection, uids, by, kept);
  const columns: (SortKey | undefined)[][] = [];
  for (const { by } of order.keys) {
    columns.push(kept.of(by, uids));
    await breathe();
  }
  const there = uids.map((_, index) => columns.every((column) => column[index] !== undefined));
  if (there.every(Boolean)) return inOrder(uids, columns as SortKey[][], order);
  const left = <T>(all: readonly T[]) => all.filter((_, index) => there[index]);
  return inOrder(left(uids), columns.map(left) as SortKey[][], order);
}

async function learnKeys(
  connection: ImapConnection,
  uids: readonly number[],
  by: Sort['by'],
  kept: SortKeys,
): Promise<void> {
  const lacking = kept.lacking(by, uids);
  if (lacking.length === 0) return;
  const short = shortFields[by];
  const fields: ListField[] = short ? [short] : by === 'date' ? ['internalDate', 'envelope'] : ['envelope'];
  const batch = short ? SHORT_BATCH : FETCH_BATCH;
  let keyed: Keyed[] = [];
  for (let from = 0; from < lacking.length; from += batch) {
    for (const set of sequenceSets(lacking.slice(from, from + batch))) {
      // Only the key of a message is kept, not its envelope: there may be two hundred thousand messages.
      for (const row of await fetchKeyed(connection, set, fields)) keyed.push({ uid: row.uid, key: sortKey(row, by) });
      await breathe();
    }
    if (keyed.length < ADDED_AT_ONCE) continue;
    kept.add(by, keyed, uids);
    keyed = [];
  }
  if (keyed.length > 0) kept.add(by, keyed, uids);
}

function fetchKeyed(connection: ImapConnection, set: string, fields: ListField[]): Promise<MessageSummary[]> {
  return survivingExpunge(connection, () => fetchRange(connection, set, 'uid', fields));
}
