import { BrokerError } from '../protocol/errors.js';
import type { Criteria, Sort } from '../protocol/methods/message-read.js';
import { baseSubject, casemap } from './base-subject.js';
import type { ImapConnection } from './connection.js';
import { toEnvelope } from './envelope.js';
import { FETCH_BATCH, toInternalDate } from './fetch.js';
import { type FetchedRow, fetchRows } from './fetch-rows.js';
import { compileCriteria, Hits, searchUids } from './search.js';
import { atom, numberOf, textOf } from './wire/tokens.js';

/** Hits that the broker itself sorts or threads at most: it has to fetch something of each. */
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

/** @throws BrokerError TOO_LARGE when the broker would have to fetch something of too many messages */
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

type Value = string | number;

interface SortRow {
  uid: number;
  values: Value[];
}

async function sortInBroker(
  connection: ImapConnection,
  uids: readonly number[],
  sort: readonly Sort[],
): Promise<number[]> {
  const items = [...new Set(sort.flatMap(({ by }) => sortItems[by]))].map(atom);
  const reduce = (row: FetchedRow): SortRow => ({ uid: row.uid, values: sort.map(({ by }) => sortKey(row, by)) });
  const rows: SortRow[] = [];
  for (let from = 0; from < uids.length; from += FETCH_BATCH) {
    const range = uids.slice(from, from + FETCH_BATCH).join(',');
    for (const row of await fetchRows(connection, range, items, 'uid', { reduce })) rows.push(row);
  }
  return rows.sort((a, b) => compareRows(a, b, sort)).map(({ uid }) => uid);
}

function compareRows(a: SortRow, b: SortRow, sort: readonly Sort[]): number {
  for (const [index, { descending }] of sort.entries()) {
    const order = compare(a.values[index] ?? 0, b.values[index] ?? 0);
    if (order !== 0) return descending ? -order : order;
  }
  // Ties are in the order of the folder, whatever the keys' direction (RFC 5256 section 3).
  return a.uid - b.uid;
}

function compare(a: Value, b: Value): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

/** What is fetched for a key. */
const sortItems: Record<Sort['by'], readonly string[]> = {
  arrival: ['INTERNALDATE'],
  date: ['ENVELOPE', 'INTERNALDATE'],
  from: ['ENVELOPE'],
  to: ['ENVELOPE'],
  cc: ['ENVELOPE'],
  subject: ['ENVELOPE'],
  size: ['RFC822.SIZE'],
};

function sortKey({ items }: FetchedRow, by: Sort['by']): Value {
  const arrived = Date.parse(toInternalDate(textOf(items.get('INTERNALDATE'))));
  if (by === 'arrival') return arrived;
  if (by === 'size') return numberOf(items.get('RFC822.SIZE')) ?? 0;
  const envelope = toEnvelope(items.get('ENVELOPE'));
  if (by === 'date') return envelope.date === null ? arrived : Date.parse(envelope.date);
  if (by === 'subject') return casemap(baseSubject(envelope.subject));
  // Only the mailbox of the first address counts (RFC 5256 section 3).
  return casemap(envelope[by][0]?.address.split('@')[0] ?? '');
}
