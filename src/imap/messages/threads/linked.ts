import type { Field, MessageSummary } from '../../../protocol/rows.js';
import type { ImapConnection } from '../../connection/connection.js';
import { sentAt } from '../../mime/sort-key.js';
import { linksOf, type MessageIds } from '../../mime/threading/thread-message.js';
import { atom, bytesOf, type ImapArgument, listOf, textOf } from '../../wire/tokens.js';
import { FETCH_BATCH, fetchSummaries } from '../fetch.js';
import { fetchRows, peekHeaders, survivingExpunge } from '../fetch-rows.js';
import { searchKeys } from '../search/search.js';

/** Message ids in one SEARCH, and octets of its keys: each id stands in it three times. */
const IDS_PER_SEARCH = 50;
const SEARCH_BYTES = 7_000;
/** An id that is followed: printable ASCII of a length that a real one has; anything else is left alone. */
const followed = /^<[!-~]{1,500}>$/;

/** A message with the ids that link it to others. */
export interface Linked {
  summary: MessageSummary;
  links: MessageIds;
  /** Milliseconds since 1970: the Date header, else the internal date. */
  date: number;
}

/** What the server calls a message's conversation: X-GM-THRID of Gmail, THREADID of RFC 8474. */
export interface ServerThread {
  key: 'X-GM-THRID' | 'THREADID';
  id: string;
}

/** The name by which the server tells the conversation of a message; undefined where it has none. */
function threadItem(connection: ImapConnection): ServerThread['key'] | undefined {
  if (connection.has('X-GM-EXT-1')) return 'X-GM-THRID';
  return connection.has('OBJECTID') ? 'THREADID' : undefined;
}

/**
 * Rows of messages in the selected folder, with what links them; those that are gone are left out. Two round trips
 * for 200 messages.
 */
export async function fetchLinked(
  connection: ImapConnection,
  uids: readonly number[],
  fields: readonly Field[],
): Promise<Linked[]> {
  const wanted = [...new Set<Field>([...fields, 'envelope', 'internalDate'])];
  const linked: Linked[] = [];
  for (let from = 0; from < uids.length; from += FETCH_BATCH) {
    const batch = uids.slice(from, from + FETCH_BATCH);
    // One after the other: servers may answer the second FETCH before they have ended the first.
    const summaries = await survivingExpunge(connection, () => fetchSummaries(connection, batch, wanted));
    const set = batch.join(',');
    const rows = await survivingExpunge(connection, () =>
      fetchRows(connection, set, [peekHeaders(['References'])], 'uid'),
    );
    const headers = new Map(rows.map(({ uid, items: found }) => [uid, bytesOf(found.get('BODY[HEADER.FIELDS]'))]));
    for (const summary of summaries) {
      const links = linksOf(summary, headers.get(summary.uid) ?? Buffer.alloc(0));
      linked.push({ summary, links, date: sentAt(summary.envelope, summary.internalDate) });
    }
  }
  return linked;
}

/** What the server calls the conversation of a message; undefined where it does not say. */
export async function serverThreadOf(connection: ImapConnection, uid: number): Promise<ServerThread | undefined> {
  const key = threadItem(connection);
  if (!key) return undefined;
  const [row] = await fetchRows(connection, String(uid), [atom(key)], 'uid');
  const value = row?.items.get(key);
  const id = textOf(Array.isArray(value) ? listOf(value)[0] : value);
  return /^[0-9A-Za-z_-]{1,255}$/.test(id) && id !== 'NIL' ? { key, id } : undefined;
}

/** Uids of a conversation in the selected folder, as the server knows it. */
export function searchThread(connection: ImapConnection, { key, id }: ServerThread): Promise<number[]> {
  return searchKeys(connection, [atom(key), atom(id)]);
}

/**
 * Uids of messages in the selected folder that have one of these ids or name it in References or In-Reply-To. One round
 * trip. Servers look for parts of a header: the caller compares. Ids that no well-formed mail has are left out.
 */
export async function searchLinked(connection: ImapConnection, ids: readonly string[]): Promise<number[]> {
  const searches = chunks(ids.filter((id) => followed.test(id))).map((chunk) =>
    balanced(
      chunk.flatMap((id) => ['Message-ID', 'References', 'In-Reply-To'].map((name) => [atom('HEADER'), name, id])),
    ),
  );
  if (searches.length === 0) return [];
  // Which of them an answer belongs to does not matter: all hits count.
  const found = await Promise.all(connection.together(() => searches.map((keys) => searchKeys(connection, keys))));
  return [...new Set(found.flat())];
}

function chunks(ids: readonly string[]): string[][] {
  const result: string[][] = [];
  let chunk: string[] = [];
  let bytes = 0;
  for (const id of ids) {
    const more = 3 * (id.length + 30);
    if (chunk.length >= IDS_PER_SEARCH || (chunk.length > 0 && bytes + more > SEARCH_BYTES)) {
      result.push(chunk);
      chunk = [];
      bytes = 0;
    }
    chunk.push(id);
    bytes += more;
  }
  return chunk.length > 0 ? [...result, chunk] : result;
}

/** Keys joined by OR as a tree of few levels: servers bound how deep keys are nested. */
function balanced(keys: ImapArgument[][]): ImapArgument[] {
  if (keys.length <= 1) return keys[0] ?? [];
  const half = Math.ceil(keys.length / 2);
  return [atom('OR'), ...balanced(keys.slice(0, half)), ...balanced(keys.slice(half))];
}
