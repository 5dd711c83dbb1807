import type { ImapConnection } from '../../imap/connection/connection.js';
import { fetchSummaries } from '../../imap/messages/fetch.js';
import { countHits } from '../../imap/messages/search/count-hits.js';
import { searchUids } from '../../imap/messages/search/search.js';
import { searchSorted } from '../../imap/messages/search/sort.js';
import type { Criteria } from '../../protocol/criteria.js';
import type { Field, MessageSummary } from '../../protocol/rows.js';
import { fetchAllNew, fetchListed } from '../fetch-members.js';
import type { MailboxView } from '../mailbox-view.js';
import { isEverything, staysHit } from './dependence.js';
import { KeptList, type Listing } from './kept-lists.js';
import { type ListSlice, type ListStart, sliceOfList } from './ordered-list.js';

export interface ListRequest extends Listing {
  start: ListStart;
  limit: number;
  fields: readonly Field[];
}

export interface ListPage extends ListSlice {
  /** Hits in all. */
  total: number;
}

/** A page that is asked for without the view. */
export interface LoosePage extends ListPage {
  messages: MessageSummary[];
}

/** Tries for a page: where the folder changes meanwhile, the page starts over. */
const TRIES = 4;

/** A page from memory; undefined where the list is not known to be true any more, or a row is missing. */
export function knownListPage(view: MailboxView, request: ListRequest): ListPage | undefined {
  if (!view.placed || view.members.unknownOnTop > 0) return undefined;
  const list = view.lists.find(request);
  if (!list?.isTrueOf(view)) return undefined;
  const page = pageOf(list, request, undefined);
  if (lackingOf(view, page, request).length > 0) return undefined;
  view.lists.touch(request);
  return page;
}

/**
 * A page of messages that are searched for or sorted; the whole order is kept. What is missing is asked for on the
 * connection that the view follows.
 * @returns undefined where the folder changes too quickly, or the view lost its folder
 */
export async function fetchedListPage(
  view: MailboxView,
  connection: ImapConnection,
  request: ListRequest,
): Promise<ListPage | undefined> {
  const before = view.lists.find(request)?.uids;
  for (let tries = 0; tries < TRIES && isFollowed(view, connection); tries += 1) {
    await fetchAllNew(view, connection);
    const known = view.lists.find(request);
    const list = known?.isTrueOf(view) ? known : await search(view, connection, request);
    const page = pageOf(list, request, before);
    const lacking = lackingOf(view, page, request);
    if (lacking.length > 0) await fetchLacking(view, connection, list, { page, lacking, fields: request.fields });
    if (!isFollowed(view, connection)) return undefined;
    if (list.isOfNow(view) && lackingOf(view, page, request).length === 0) {
      view.lists.keep(request, list);
      return page;
    }
  }
  return undefined;
}

/** A page of the selected folder, of which nothing is kept: where the folder changes too quickly for a view. */
export async function fetchedLoosePage(
  connection: ImapConnection,
  { filter = {}, sort, start, limit, fields }: ListRequest,
): Promise<LoosePage> {
  const found = await searchSorted(connection, filter, sort ?? [{ by: 'uid', descending: true }], { field: 'filter' });
  const list = Uint32Array.from(found.uids);
  const slice = sliceOfList(list, start, limit, { byUid: sort === undefined, before: undefined });
  const rows = fields.length > 0 ? await fetchSummaries(connection, slice.uids, fields) : [];
  const byUid = new Map(rows.map((row) => [row.uid, row]));
  const messages = slice.uids.flatMap((uid) => (fields.length > 0 ? (byUid.get(uid) ?? []) : { uid }));
  return { ...slice, total: list.length, messages };
}

/** How many messages there are, from memory; undefined where that has to be asked. */
export function knownCount(view: MailboxView, filter: Criteria | undefined): number | undefined {
  if (!view.placed || view.members.unknownOnTop > 0) return undefined;
  return isEverything(filter) ? view.members.exists : view.lists.countOf(filter, view);
}

/**
 * How many messages a filter finds; the count is kept while nothing is heard of the folder.
 * @returns `settled`: whether the folder is as it was when they were counted
 */
export async function fetchedCount(
  view: MailboxView,
  connection: ImapConnection,
  filter: Criteria,
): Promise<{ hits: number; settled: boolean }> {
  await fetchAllNew(view, connection);
  if (isEverything(filter)) return { hits: view.members.exists, settled: true };
  for (let tries = 1; ; tries += 1) {
    const { stamp, arrangement } = view;
    const hits = await countHits(connection, filter);
    view.lists.keepCount(filter, hits, { stamp, arrangement });
    const settled = stamp === view.stamp && isFollowed(view, connection);
    if (settled || tries >= TRIES) return { hits, settled };
  }
}

function isFollowed(view: MailboxView, connection: ImapConnection): boolean {
  return view.placed && connection.isFollowedBy(view);
}

async function search(view: MailboxView, connection: ImapConnection, listing: Listing): Promise<KeptList> {
  const { stamp, arrangement, lists } = view;
  const { filter, sort } = listing;
  const known = foundUids(view, filter);
  const field = isEverything(filter) ? 'sort' : 'filter';
  const found = sort
    ? await searchSorted(connection, filter ?? {}, sort, { keys: lists.keys, uids: known, field })
    : { uids: (known ?? (await searchUids(connection, filter ?? {}))).reverse() };
  const list = new KeptList(listing, found.uids, { stamp, arrangement });
  lists.keep(listing, list);
  return list;
}

/** All that a filter finds, ascending, where no search is needed for that. */
function foundUids(view: MailboxView, filter: Criteria | undefined): number[] | undefined {
  const { base, unknownOnTop, uids } = view.members;
  if (isEverything(filter) && base === 0 && unknownOnTop === 0) return [...uids];
  const found = view.lists.foundBy(filter, view);
  return found && Array.from(found.toSorted());
}

function pageOf(list: KeptList, { start, limit, sort }: ListRequest, before: Uint32Array | undefined): ListPage {
  const slice = sliceOfList(list.uids, start, limit, { byUid: sort === undefined, before });
  return { ...slice, total: list.uids.length };
}

/** Messages of a page whose row, or flags, the view does not know. */
function lackingOf(view: MailboxView, { uids }: ListPage, { fields }: ListRequest): number[] {
  if (fields.length === 0) return [];
  const flags = fields.includes('flags');
  return uids.filter((uid) => !view.rows.has(uid, fields) || (flags && view.flagsOf(uid) === undefined));
}

async function fetchLacking(
  view: MailboxView,
  connection: ImapConnection,
  list: KeptList,
  { page, lacking, fields }: { page: ListPage; lacking: number[]; fields: readonly Field[] },
): Promise<void> {
  const { stamp, arrangement, learned } = view;
  const wasTrue = list.isOfNow(view);
  const unknown = fields.includes('flags') ? page.uids.filter((uid) => view.members.flagsOf(uid) === undefined) : [];
  const unread = unknown.filter((uid) => view.flagsOf(uid) === undefined);
  view.expectOpened(unknown);
  const rows = lacking.filter((uid) => !view.rows.has(uid, fields));
  const wanted = unread.length > 0 ? fields : fields.filter((one) => one !== 'flags');
  if (rows.length > 0) await fetchListed(view, connection, rows, wanted);
  const flags = unread.filter((uid) => view.flagsOf(uid) === undefined);
  if (flags.length > 0) await fetchListed(view, connection, flags, ['flags']);
  // The flags of messages that were not known are heard of as if they were news. They make no difference to the list
  // where the messages are hits with these flags too.
  const onlyLearned = view.stamp - stamp === view.learned - learned && view.arrangement === arrangement;
  const stays = unread.every((uid) => staysHit(list.filter, view.flagsOf(uid) ?? '[]'));
  if (wasTrue && onlyLearned && stays) list.confirm(view);
}
