import type { FetchMessageObject } from 'imapflow';
import { BrokerError } from '../protocol/errors.js';
import type { Criteria, Sort } from '../protocol/methods/message-read.js';
import type { ImapConnection } from './connection.js';
import { FETCH_BATCH } from './fetch.js';
import { baseSubject, casemap } from './mime/base-subject.js';
import { atom, rawExec } from './raw-exec.js';
import { compileCriteria, numbersOf, searchUids } from './search.js';

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
  const uids: number[] = [];
  const args = [keys.map(atom), atom('UTF-8'), ...compileCriteria(criteria)];
  await rawExec(connection, 'read', 'UID SORT', args, {
    SORT: (response) => uids.push(...numbersOf(response)),
  });
  return uids;
}

type Value = string | number;

async function sortInBroker(
  connection: ImapConnection,
  uids: readonly number[],
  sort: readonly Sort[],
): Promise<number[]> {
  const by = new Set(sort.map((key) => key.by));
  const query = {
    uid: true,
    envelope: ['date', 'from', 'to', 'cc', 'subject'].some((key) => by.has(key as Sort['by'])),
    internalDate: by.has('arrival') || by.has('date'),
    size: by.has('size'),
  };
  const rows: { uid: number; values: Value[] }[] = [];
  for (let from = 0; from < uids.length; from += FETCH_BATCH) {
    const range = uids.slice(from, from + FETCH_BATCH).join(',');
    const messages = await connection.command('read', (flow) => flow.fetchAll(range, query, { uid: true }));
    for (const message of messages) {
      if (message.uid) rows.push({ uid: message.uid, values: sort.map((key) => sortKey(message, key.by)) });
    }
  }
  return rows.sort((a, b) => compareRows(a, b, sort)).map(({ uid }) => uid);
}

function compareRows(a: { uid: number; values: Value[] }, b: typeof a, sort: readonly Sort[]): number {
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

function sortKey({ envelope, internalDate, size }: FetchMessageObject, by: Sort['by']): Value {
  const arrived = time(internalDate) ?? 0;
  switch (by) {
    case 'arrival':
      return arrived;
    case 'date':
      return time(envelope?.date) ?? arrived;
    case 'size':
      return size ?? 0;
    case 'subject':
      return casemap(baseSubject(envelope?.subject ?? ''));
    default:
      // Only the mailbox of the first address counts (RFC 5256 section 3).
      return casemap(envelope?.[by]?.[0]?.address?.split('@')[0] ?? '');
  }
}

function time(date: Date | string | undefined): number | undefined {
  const value = date === undefined ? Number.NaN : new Date(date).getTime();
  return Number.isNaN(value) ? undefined : value;
}
