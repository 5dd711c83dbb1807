import type { Field, MessageSummary } from '../../protocol/rows.js';
import type { ImapConnection } from '../connection/connection.js';
import { atom, numberOf, sequence, textOf } from '../wire/tokens.js';
import { FETCH_BATCH, fetchRange } from './fetch.js';
import { fetchRows, survivingExpunge } from './fetch-rows.js';

/** Where a page begins: at the newest message, at a boundary, or below so many of the newest messages. */
export type PageStart = Boundary | { offset: number } | undefined;

/** The messages below a uid that had the sequence number `near` some time ago. */
export interface Boundary {
  below: number;
  near: number;
}

export interface IndexPage {
  /** Newest first. */
  messages: MessageSummary[];
  /** Where the next page begins; undefined on the last. */
  next: Boundary | undefined;
  /** Messages above the page. */
  above: number;
}

/** Sequence numbers to each side of the old position that are fetched where the server has no COUNT. */
const WINDOW = 50;

/**
 * A page of the selected folder: a range of sequence numbers, so that a page costs the same in every folder. No EXPUNGE
 * may come between finding the range and fetching it (RFC 9051 section 7.5.1: not during FETCH and SEARCH by sequence
 * number), so the numbers keep their meaning.
 */
export async function fetchPage(
  connection: ImapConnection,
  start: PageStart,
  limit: number,
  fields: readonly Field[],
): Promise<IndexPage> {
  return survivingExpunge(connection, async () => {
    const page = await tryPage(connection, start, limit, fields);
    if (page.complete) return page;
    // Some messages are gone, but the server has not reported that yet: the NOOP delivers it.
    await connection.noop();
    return tryPage(connection, start, limit, fields);
  });
}

async function tryPage(
  connection: ImapConnection,
  start: PageStart,
  limit: number,
  fields: readonly Field[],
): Promise<IndexPage & { complete: boolean }> {
  const exists = connection.selected?.exists ?? 0;
  const top = await topOf(connection, start, exists);
  const bottom = Math.max(1, top - limit + 1);
  const found = new Map<number, MessageSummary>();
  for (let high = top; high >= bottom; high -= FETCH_BATCH) {
    const low = Math.max(bottom, high - FETCH_BATCH + 1);
    // The commands by uid that previews need may bring an EXPUNGE, by which the numbers of the next range move.
    for (const row of await fetchRange(connection, `${low}:${high}`, 'sequence', fields)) found.set(row.uid, row);
  }
  const messages = [...found.values()].sort((a, b) => b.uid - a.uid);
  const last = messages.at(-1);
  const next = last && bottom > 1 ? { below: last.uid, near: bottom } : undefined;
  return { messages, next, above: exists - top, complete: messages.length > top - bottom };
}

/** The sequence number of the newest message of the page; 0 where the page is empty. */
async function topOf(connection: ImapConnection, start: PageStart, exists: number): Promise<number> {
  if (!start) return exists;
  return 'offset' in start ? Math.max(0, exists - start.offset) : countBelow(connection, start, exists);
}

/** How many messages have a smaller uid, which is the sequence number of the newest of those. */
async function countBelow(connection: ImapConnection, start: Boundary, exists: number): Promise<number> {
  if (start.below <= 1 || exists === 0) return 0;
  if (connection.has('ESEARCH') || connection.has('IMAP4rev2')) return countByServer(connection, start.below);
  return (await countNear(connection, start, exists)) ?? countBySearch(connection, start.below);
}

async function countByServer(connection: ImapConnection, below: number): Promise<number> {
  let count = 0;
  const criteria = [atom('RETURN'), [atom('COUNT')], atom('UID'), sequence(`1:${below - 1}`)];
  await connection.exec('read', 'SEARCH', criteria, {
    ESEARCH: ({ attributes }) => {
      const at = attributes.findIndex((attribute) => textOf(attribute).toUpperCase() === 'COUNT');
      count = numberOf(attributes[at + 1]) ?? 0;
    },
  });
  return count;
}

/** Fetches uids around the old position; undefined when the uid has moved further away. */
async function countNear(
  connection: ImapConnection,
  { below, near }: Boundary,
  exists: number,
): Promise<number | undefined> {
  const low = Math.max(1, Math.min(near, exists) - WINDOW);
  const high = Math.min(exists, low + 2 * WINDOW);
  const rows = await fetchRows(connection, `${low}:${high}`, [], 'sequence');
  // A gap would shift the count.
  if (rows.length !== high - low + 1) return undefined;
  const smaller = rows.filter(({ uid }) => uid < below).length;
  if (smaller === 0 && low > 1) return undefined;
  if (smaller === rows.length && high < exists) return undefined;
  return low - 1 + smaller;
}

async function countBySearch(connection: ImapConnection, below: number): Promise<number> {
  let count = 0;
  await connection.exec('read', 'SEARCH', [atom('UID'), sequence(`1:${below - 1}`)], {
    SEARCH: ({ numbers }) => {
      count += numbers.length;
    },
  });
  return count;
}
