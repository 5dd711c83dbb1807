import type { Criteria, Sort } from '../../protocol/criteria.js';
import { BrokerError } from '../../protocol/errors.js';
import type { ListField } from '../../protocol/rows.js';
import type { ImapConnection } from '../connection/connection.js';
import { type SortKey, sortKey } from '../mime/sort-key.js';
import { atom } from '../wire/tokens.js';
import { FETCH_BATCH, fetchSummaries } from './fetch.js';
import { compileCriteria, Hits, searchUids } from './search.js';

/** Most hits that the broker itself sorts or threads: it has to fetch data of each message. */
export const BROKER_HITS = 20_000;

const serverKeys = {
  arrival: 'ARRIVAL',
  date: 'DATE',
  from: 'FROM',
  to: 'TO',
  cc: 'CC',
  subject: 'SUBJECT',
  size: 'SIZE',
} as const;

/** Uids of the hits in the wanted order: by the server (RFC 5256) where it can, else by the broker. */
export async function searchSorted(
  connection: ImapConnection,
  criteria: Criteria,
  sort: readonly Sort[],
): Promise<{ uids: number[]; sortedBy: 'server' | 'broker' }> {
  if (connection.has('SORT')) return { uids: await sortOnServer(connection, criteria, sort), sortedBy: 'server' };
  const uids = await searchUids(connection, criteria);
  requireFew(uids.length);
  return { uids: await sortInBroker(connection, uids, sort), sortedBy: 'broker' };
}

/** @throws BrokerError TOO_LARGE when the broker would have to fetch data of too many messages */
export function requireFew(hits: number): void {
  if (hits <= BROKER_HITS) return;
  throw new BrokerError(
    'TOO_LARGE',
    `criteria: ${hits} hits, but this IMAP server leaves sorting to the broker, which takes ${BROKER_HITS}.`,
    { field: 'criteria' },
  );
}

async function sortOnServer(connection: ImapConnection, criteria: Criteria, sort: readonly Sort[]): Promise<number[]> {
  const keys = sort.flatMap(({ by, descending }) => [...(descending ? ['REVERSE'] : []), serverKeys[by]]);
  const hits = new Hits(connection);
  const args = [keys.map(atom), atom('UTF-8'), ...compileCriteria(criteria)];
  await connection.exec('read', 'UID SORT', args, {
    SORT: ({ numbers }) => hits.add(numbers),
  });
  return hits.uids;
}

interface Row {
  uid: number;
  keys: SortKey[];
}

async function sortInBroker(
  connection: ImapConnection,
  uids: readonly number[],
  sort: readonly Sort[],
): Promise<number[]> {
  const fields = fieldsOf(sort);
  const rows: Row[] = [];
  // Only the keys of a message are kept, not its envelope: there may be twenty thousand messages.
  for (let from = 0; from < uids.length; from += FETCH_BATCH) {
    const messages = await fetchSummaries(connection, uids.slice(from, from + FETCH_BATCH), fields);
    for (const message of messages) {
      rows.push({ uid: message.uid, keys: sort.map(({ by }) => sortKey(message, by)) });
    }
  }
  return rows.sort((a, b) => compareRows(a, b, sort)).map(({ uid }) => uid);
}

function fieldsOf(sort: readonly Sort[]): ListField[] {
  const by = new Set(sort.map((key) => key.by));
  const fields: ListField[] = by.has('size') ? ['size'] : [];
  if (by.has('arrival') || by.has('date')) fields.push('internalDate');
  if (['date', 'from', 'to', 'cc', 'subject'].some((key) => by.has(key as Sort['by']))) fields.push('envelope');
  return fields;
}

function compareRows(a: Row, b: Row, sort: readonly Sort[]): number {
  for (const [index, { descending }] of sort.entries()) {
    const order = compare(a.keys[index] ?? 0, b.keys[index] ?? 0);
    if (order !== 0) return descending ? -order : order;
  }
  // Ties are in the order of the folder, whatever the keys' direction (RFC 5256 section 3).
  return a.uid - b.uid;
}

function compare(a: SortKey, b: SortKey): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
