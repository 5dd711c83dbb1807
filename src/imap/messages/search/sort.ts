import type { Criteria, Sort } from '../../../protocol/criteria.js';
import { BrokerError } from '../../../protocol/errors.js';
import { sortsEqualNewestFirst } from '../../connection/capabilities.js';
import type { ImapConnection } from '../../connection/connection.js';
import { atom } from '../../wire/tokens.js';
import { withCharset } from './charset.js';
import { orderOf } from './order.js';
import { Hits, keysFor, searchUids } from './search.js';
import { sortInBroker } from './sort-in-broker.js';
import { MOST_KEYS, SortKeys } from './sort-keys.js';
import { askedFor } from './uid-keys.js';

/** Most hits that the broker itself threads: it has to fetch data of each message. */
export const BROKER_HITS = 20_000;

const serverKeys = {
  arrival: 'ARRIVAL',
  date: 'DATE',
  from: 'FROM',
  to: 'TO',
  cc: 'CC',
  subject: 'SUBJECT',
  size: 'SIZE',
} as const satisfies Record<Exclude<Sort['by'], 'uid'>, string>;

/** What {@link searchSorted} may use. */
export interface SortOptions {
  /** Keys of the folder's messages that are known, and to which fetched ones are added. */
  keys?: SortKeys;
  /** The uids of all hits, ascending, where they are known: the broker then searches nothing. */
  uids?: readonly number[] | undefined;
  /** The request's member that an error names. */
  field?: string;
}

export interface SortedHits {
  uids: number[];
  sortedBy: 'folder' | 'server' | 'broker';
}

/**
 * Uids of the hits in the wanted order: by the server (RFC 5256) where it can, else by the broker.
 * @throws BrokerError TOO_LARGE where the broker would have to sort more than 200,000 messages
 */
export async function searchSorted(
  connection: ImapConnection,
  criteria: Criteria,
  sort: readonly Sort[],
  { keys = new SortKeys(), uids: known, field = 'filter' }: SortOptions = {},
): Promise<SortedHits> {
  const { keys: by, descending } = orderOf(sort);
  if (by.length === 0) {
    const uids = known ? [...known] : await searchUids(connection, criteria);
    return { uids: descending ? uids.reverse() : uids, sortedBy: 'folder' };
  }
  if (connection.has('SORT')) return { uids: await sortOnServer(connection, criteria, sort), sortedBy: 'server' };
  const uids = known ?? (await searchUids(connection, criteria));
  requireFew(uids.length, MOST_KEYS, field);
  return { uids: await sortInBroker(connection, uids, sort, keys), sortedBy: 'broker' };
}

/** @throws BrokerError TOO_LARGE when the broker would have to fetch data of too many messages */
export function requireFew(hits: number, most = BROKER_HITS, field = 'filter'): void {
  if (hits <= most) return;
  throw new BrokerError(
    'TOO_LARGE',
    `${field}: ${hits} hits, but this IMAP server leaves sorting to the broker, which takes ${most}.`,
    { field },
  );
}

async function sortOnServer(connection: ImapConnection, criteria: Criteria, sort: readonly Sort[]): Promise<number[]> {
  const { keys, descending: equalDescend } = orderOf(sort);
  const reversed = equalDescend !== sortsEqualNewestFirst(connection);
  // Messages with equal keys are ascending by uid, but on Courier. Where they are to be the other way round, so is the sort.
  const words = keys.flatMap(({ by, descending }) =>
    by === 'uid' ? [] : [...(descending !== reversed ? ['REVERSE'] : []), serverKeys[by]],
  );
  const found = await withCharset(
    connection,
    await keysFor(connection, criteria, true),
    async (charset, conditions) => {
      const hits = new Hits(connection);
      const args = [words.map(atom), atom(charset), ...conditions];
      await connection.exec('read', 'UID SORT', args, { SORT: ({ numbers }) => hits.add(numbers) });
      return hits.uids;
    },
  );
  const uids = await askedFor(criteria, found);
  return reversed ? uids.reverse() : uids;
}
