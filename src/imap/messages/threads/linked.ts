import { type Field, headersOf, type MessageSummary } from '../../../protocol/rows.js';
import type { ImapConnection } from '../../connection/connection.js';
import { sentAt } from '../../mime/sort-key.js';
import { linksOf, type MessageIds } from '../../mime/threading/thread-message.js';
import { atom, type ImapArgument } from '../../wire/tokens.js';
import { fetchSummaries } from '../fetch.js';
import { survivingExpunge } from '../fetch-rows.js';
import { searchKeys } from '../search/search.js';

/** Message ids in one SEARCH, and octets of its keys: each id stands in it three times. */
const IDS_PER_SEARCH = 50;
const SEARCH_BYTES = 7_000;
/** The header that names the messages before. */
const REFERENCES = 'References';
/** An id that is followed: printable ASCII of a length that a real one has; anything else is left alone. */
const followed = /^<[!-~]{1,500}>$/;

/** A message with the ids that link it to others. */
export interface Linked {
  summary: MessageSummary;
  links: MessageIds;
  /** Milliseconds since 1970: the Date header, else the internal date. */
  date: number;
}

/** A folder that is searched, with its messages, of which the server tells as it opens it. */
export interface SearchedFolder {
  readonly exists: number;
}

/** What the server calls a message's conversation: X-GM-THRID of Gmail, THREADID of RFC 8474. */
export interface ServerThread {
  key: 'X-GM-THRID' | 'THREADID';
  id: string;
}

/**
 * Rows of messages in the selected folder, with what links them; those that are gone are left out. One round trip for
 * 200 messages.
 */
export async function fetchLinked(
  connection: ImapConnection,
  uids: readonly number[],
  fields: readonly Field[],
): Promise<Linked[]> {
  const asked = headersOf(fields);
  const added = !asked.some(isReferences);
  const plain = fields.filter((field) => typeof field === 'string');
  const headers = added ? [...asked, REFERENCES] : asked;
  const wanted: Field[] = [...new Set([...plain, 'envelope', 'internalDate'] as const), { headers }];
  const summaries = await survivingExpunge(connection, () => fetchSummaries(connection, uids, wanted));
  return summaries.map((summary) => {
    const named = summary.headers?.find(({ name }) => isReferences(name))?.value;
    if (added) summary.headers = summary.headers?.filter(({ name }) => name !== REFERENCES);
    return { summary, links: linksOf(summary, named), date: sentAt(summary.envelope, summary.internalDate) };
  });
}

function isReferences(name: string): boolean {
  return name.toLowerCase() === REFERENCES.toLowerCase();
}

/** The field that brings {@link serverThreadOf} what it needs; none where the server does not name conversations. */
export function threadField(connection: ImapConnection): Field[] {
  return connection.has('OBJECTID') || connection.has('X-GM-EXT-1') ? ['threadId'] : [];
}

/** What the server calls the conversation of a message; undefined where it does not say. */
export function serverThreadOf(connection: ImapConnection, { threadId }: MessageSummary): ServerThread | undefined {
  if (!threadId || threadId === 'NIL' || !/^[0-9A-Za-z_-]{1,255}$/.test(threadId)) return undefined;
  return { key: connection.has('OBJECTID') ? 'THREADID' : 'X-GM-THRID', id: threadId };
}

/** Uids of a conversation in the selected folder, as the server knows it. */
export function searchThread(
  connection: ImapConnection,
  { key, id }: ServerThread,
  folder: SearchedFolder,
): Promise<number[]> {
  return searchKeys(connection, [atom(key), atom(id)], folder);
}

/**
 * Uids of messages in the selected folder that have one of these ids or name it in References or In-Reply-To. One round
 * trip. Servers look for parts of a header: the caller compares. Ids that no well-formed mail has are left out.
 */
export async function searchLinked(
  connection: ImapConnection,
  ids: readonly string[],
  folder: SearchedFolder,
): Promise<number[]> {
  const searches = chunks(ids.filter((id) => followed.test(id))).map((chunk) =>
    balanced(
      chunk.flatMap((id) => ['Message-ID', 'References', 'In-Reply-To'].map((name) => [atom('HEADER'), name, id])),
    ),
  );
  if (searches.length === 0) return [];
  // Which of them an answer belongs to does not matter: all hits count.
  const found = await Promise.all(
    connection.together(() => searches.map((keys) => searchKeys(connection, keys, folder))),
  );
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
