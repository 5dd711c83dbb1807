import { makesUpMissing } from '../../imap/connection/capabilities.js';
import type { ImapConnection } from '../../imap/connection/connection.js';
import { fetchSummaries } from '../../imap/messages/fetch.js';
import { survivingExpunge } from '../../imap/messages/fetch-rows.js';
import { searchUids } from '../../imap/messages/search/search.js';
import { type Field, headersOf } from '../../protocol/rows.js';
import { fetchAllNew, fetchMissing, fetchOlder } from '../fetch-members.js';
import type { MailboxView } from '../mailbox-view.js';
import { findForest, knownForest, type Wanted } from './fetched-forest.js';
import { type Forest, messagesOf, rankOf } from './forest.js';
import { type ShownThread, threadJson } from './thread-json.js';

/** Where a page begins. With an `anchor`, the newest message of the last conversation before, `offset` counts only where that is gone. */
export interface ThreadStart {
  anchor: number | undefined;
  offset: number;
}

export interface ThreadRequest extends Wanted {
  start: ThreadStart;
  limit: number;
  sort: 'newest' | 'oldest';
  fields: readonly Field[];
}

/** A page of conversations, as JSON, and where the next page begins. */
export interface ThreadPage {
  total: number;
  threads: string;
  /** All messages of its conversations. */
  uids: number[];
  next: { anchor: number; offset: number } | undefined;
}

/** Known messages from which on flags of others are asked for by page only. */
const FEW_MEMBERS = 2_000;
/** Rows of one conversation, and of a page: of more, each conversation has fewer. */
const MOST_ROWS = 100;
const ROWS_PER_PAGE = 5_000;
const LEAST_ROWS = 10;
/** Rows of a page for messages that are not among the known: the view hears of changes of so many that were opened. */
const MOST_OPENED = 500;
/** Tries for a page: messages that come and go while it is put together make it start over. */
const TRIES = 8;

/** A page from memory; undefined when a part of it is missing. */
export function knownThreadPage(view: MailboxView, request: ThreadRequest): ThreadPage | undefined {
  if (!view.placed || view.members.unknownOnTop > 0) return undefined;
  const forest = knownForest(view, request);
  if (!forest) return undefined;
  const slice = sliceOf(view, forest, request);
  return isComplete(lacking(view, slice, request)) ? pageOf(view, forest, slice, request) : undefined;
}

/**
 * A page; what is missing in memory is fetched on the connection that the view follows.
 * @returns undefined when the folder changes too quickly
 * @throws BrokerError TOO_LARGE above 200,000 messages; what commands throw
 */
export async function fetchedThreadPage(
  view: MailboxView,
  connection: ImapConnection,
  request: ThreadRequest,
): Promise<ThreadPage | undefined> {
  for (let tries = 0; tries < TRIES && view.placed && connection.isFollowedBy(view); tries += 1) {
    await fetchAllNew(view, connection);
    await learnFew(view, connection);
    if (!knownForest(view, request)) await findForest(view, connection, request);
    const forest = knownForest(view, request);
    if (!forest || view.members.unknownOnTop > 0) continue;
    const slice = sliceOf(view, forest, request);
    const lack = lacking(view, slice, request);
    if (isComplete(lack)) return pageOf(view, forest, slice, request);
    await fetchLack(view, connection, lack, request.fields);
  }
  return undefined;
}

/** Flags of the newest messages come at once: they are in most conversations of the first pages. */
async function learnFew(view: MailboxView, connection: ImapConnection): Promise<void> {
  const { members } = view;
  for (let tries = 0; tries < TRIES && members.base > 0 && members.uids.length < FEW_MEMBERS; ) {
    if (!(await fetchOlder(view, connection, FEW_MEMBERS - members.uids.length, []))) tries += 1;
  }
}

interface Slice {
  threads: ShownThread[];
  next: ThreadPage['next'];
}

function sliceOf(view: MailboxView, forest: Forest, request: ThreadRequest): Slice {
  const { limit, fields, sort } = request;
  const total = forest.starts.length;
  const from = Math.min(startOf(forest, request), total);
  const to = Math.min(from + limit, total);
  const most = Math.min(MOST_ROWS, Math.max(LEAST_ROWS, Math.floor(ROWS_PER_PAGE / limit)));
  let opened = 0;
  const threads: ShownThread[] = [];
  for (let place = from; place < to; place += 1) {
    const index = sort === 'newest' ? place : total - 1 - place;
    const uids = messagesOf(forest, index);
    const rows: number[] = [];
    for (let at = uids.length - 1; at >= 0 && fields.length > 0 && rows.length < most; at -= 1) {
      const uid = uids[at] as number;
      if (view.members.flagsOf(uid) === undefined) opened += 1;
      if (opened > MOST_OPENED) break;
      rows.push(uid);
    }
    threads.push({ index, uids, rows: rows.reverse() });
  }
  const anchor = threads.at(-1)?.uids.at(-1);
  return { threads, next: to < total && anchor !== undefined ? { anchor, offset: to } : undefined };
}

function startOf(forest: Forest, { start: { anchor, offset }, sort }: ThreadRequest): number {
  const rank = anchor === undefined ? 0 : rankOf(forest, anchor);
  if (rank === 0) return offset;
  const before = forest.newest.findIndex((newest) => (sort === 'newest' ? newest < rank : newest <= rank));
  const newer = before < 0 ? forest.newest.length : before;
  return sort === 'newest' ? newer : forest.newest.length - newer;
}

/** What memory lacks of a page. */
interface Lack {
  /** Immutable fields of messages that the view knows. */
  rows: number[];
  /** Rows with flags of messages that it does not know. */
  opened: number[];
  /** Dates of messages. */
  dates: number[];
  /** Whether flags are lacking that are only counted. */
  unseen: boolean;
}

function isComplete({ rows, opened, dates, unseen }: Lack): boolean {
  return rows.length + opened.length + dates.length === 0 && !unseen;
}

function lacking(view: MailboxView, { threads }: Slice, { fields }: ThreadRequest): Lack {
  const lack: Lack = { rows: [], opened: [], dates: [], unseen: false };
  const unseen = view.conversations.unseen(view);
  for (const { uids, rows } of threads) {
    for (const uid of rows) {
      const row = view.rows.has(uid, fields);
      if (view.members.flagsOf(uid) !== undefined) {
        if (!row) lack.rows.push(uid);
      } else if (!row || (fields.includes('flags') && view.flagsOf(uid) === undefined)) lack.opened.push(uid);
    }
    const newest = uids.at(-1);
    if (newest !== undefined && !isDated(view, newest)) lack.dates.push(newest);
    if (!unseen && !lack.unseen) lack.unseen = uids.some((uid) => view.flagsOf(uid) === undefined);
  }
  return lack;
}

const dateFields: readonly Field[] = ['envelope', 'internalDate'];

function isDated(view: MailboxView, uid: number): boolean {
  return view.conversations.nodes.dateOf(uid) !== undefined || view.rows.has(uid, dateFields);
}

async function fetchLack(
  view: MailboxView,
  connection: ImapConnection,
  { rows, opened, dates, unseen }: Lack,
  fields: readonly Field[],
): Promise<void> {
  const dated = [...new Set([...fields, ...dateFields])];
  const known = (uid: number) => view.members.flagsOf(uid) !== undefined;
  const datesOnly = dates.filter((uid) => !rows.includes(uid) && !opened.includes(uid));
  // The newest messages are asked for their dates along with their rows: one command in place of two.
  const wanted = dates.length > 0 ? dated : fields;
  if (rows.length > 0 && !(await fetchMissing(view, connection, rows, wanted))) return;
  if (opened.length > 0 && !(await fetchOpened(view, connection, opened, [...new Set([...wanted, 'flags' as const])])))
    return;
  if (datesOnly.length > 0) {
    const members = datesOnly.filter(known);
    const others = datesOnly.filter((uid) => !known(uid));
    if (members.length > 0 && !(await fetchMissing(view, connection, members, dateFields))) return;
    if (others.length > 0 && !(await fetchOpened(view, connection, others, dateFields))) return;
  }
  if (!unseen) return;
  const { stamp } = view;
  view.conversations.keepUnseen(view, stamp, await searchUids(connection, { seen: false }));
}

/** Fetches rows of messages that the view does not know. @returns false when some turned out to be expunged */
async function fetchOpened(
  view: MailboxView,
  connection: ImapConnection,
  uids: readonly number[],
  fields: readonly Field[],
): Promise<boolean> {
  view.expectOpened(uids);
  const rows = await survivingExpunge(connection, () => fetchSummaries(connection, uids, fields));
  for (const row of rows) view.rows.add(row, headersOf(fields));
  if (rows.length === uids.length && !makesUpMissing(connection)) return true;
  if (!(await connection.refresh())) view.abandon();
  return rows.length === uids.length;
}

function pageOf(view: MailboxView, forest: Forest, { threads, next }: Slice, { fields }: ThreadRequest): ThreadPage {
  const unseen = view.conversations.unseen(view);
  const json = threads.map((thread) => threadJson(view, forest, thread, fields, unseen));
  const uids = threads.flatMap((thread) => thread.uids);
  return { total: forest.starts.length, threads: `[${json.join(',')}]`, uids, next };
}
