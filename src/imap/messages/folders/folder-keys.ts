import type { Sort } from '../../../protocol/criteria.js';
import type { ListField, MessageSummary } from '../../../protocol/rows.js';
import type { ImapConnection } from '../../connection/connection.js';
import { type SortKey, sortKey } from '../../mime/sort-key.js';
import { sequenceSets } from '../../wire/sequence-set.js';
import { sortInTurns } from '../../wire/sort-in-turns.js';
import { atom, numberOf, textOf } from '../../wire/tokens.js';
import { breathe } from '../../wire/turn-budget.js';
import { FETCH_BATCH, fetchSummaries } from '../fetch.js';
import { fetchRows } from '../fetch-rows.js';
import { toInternalDate } from '../rows/row-items.js';
import { compareKeys, type Run } from './found-messages.js';

/** Most messages whose short keys one command asks for. */
const SHORT_BATCH = 2_000;

/** Sort keys by uid. Messages that are gone have none. */
export type Keys = Map<number, SortKey[]>;

/** Whether the keys of an order are a few bytes of each message, so that they may be fetched in one packet. */
export function isShort(sort: readonly Sort[]): boolean {
  return sort.every(({ by }) => by === 'arrival' || by === 'size');
}

/** The fields of a row that its sort keys are made from. */
export function fieldsOf(sort: readonly Sort[]): ListField[] {
  const by = new Set(sort.map((key) => key.by));
  const fields: ListField[] = by.has('size') ? ['size'] : [];
  if (by.has('arrival') || by.has('date')) fields.push('internalDate');
  if (sort.some((key) => key.by !== 'arrival' && key.by !== 'size')) fields.push('envelope');
  return fields;
}

/** Fetches sort keys of messages in the selected folder. With short keys, all commands are begun at once. */
export async function fetchKeys(connection: ImapConnection, uids: Uint32Array, sort: readonly Sort[]): Promise<Keys> {
  const keys: Keys = new Map();
  const note = (message: MessageSummary) =>
    keys.set(
      message.uid,
      sort.map(({ by }) => sortKey(message, by)),
    );
  if (isShort(sort)) {
    await Promise.all(shortSets(uids).map((set) => fetchShort(connection, set, sort, note)));
    return keys;
  }
  // Only the keys of a message are kept, not its envelope.
  for (let from = 0; from < uids.length; from += FETCH_BATCH) {
    const some = Array.from(uids.subarray(from, from + FETCH_BATCH));
    for (const message of await fetchSummaries(connection, some, fieldsOf(sort))) note(message);
    await breathe();
  }
  return keys;
}

function shortSets(uids: Uint32Array): string[] {
  const sets: string[] = [];
  for (let from = 0; from < uids.length; from += SHORT_BATCH) {
    sets.push(...sequenceSets(Array.from(uids.subarray(from, from + SHORT_BATCH))));
  }
  return sets;
}

async function fetchShort(
  connection: ImapConnection,
  set: string,
  sort: readonly Sort[],
  note: (message: MessageSummary) => void,
): Promise<void> {
  const names = fieldsOf(sort).map((field) => (field === 'size' ? 'RFC822.SIZE' : 'INTERNALDATE'));
  await fetchRows(connection, set, names.map(atom), 'uid', {
    reduce: ({ uid, items }) => {
      const size = numberOf(items.get('RFC822.SIZE')) ?? 0;
      note({ uid, size, internalDate: toInternalDate(textOf(items.get('INTERNALDATE'))) });
      return uid;
    },
  });
}

/** Puts hits whose keys are all known in the order of the keys. Ties are in the order of the folder. */
export async function putInOrder(run: Run, sort: readonly Sort[]): Promise<void> {
  const { uids, columns } = run;
  const inFolder = Array.from(uids, (_uid, index) => index);
  const places = await sortInTurns(inFolder, (a, b) => {
    for (const [index, { descending }] of sort.entries()) {
      const order = compareKeys(columns[index]?.[a], columns[index]?.[b]);
      if (order !== 0) return descending ? -order : order;
    }
    return (uids[a] ?? 0) - (uids[b] ?? 0);
  });
  run.uids = Uint32Array.from(places, (place) => uids[place] ?? 0);
  run.columns = columns.map((column) => Array.from(places, (place) => column[place] ?? 0));
}
