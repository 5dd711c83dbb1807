import type { ImapConnection } from '../../imap/connection/connection.js';
import { fetchPage, type PageStart } from '../../imap/messages/index-page.js';
import type { Params } from '../../protocol/contract.js';
import { BrokerError } from '../../protocol/errors.js';
import { protocolLimits } from '../../protocol/limits.js';
import type { Field } from '../../protocol/rows.js';
import { dependenceOf } from '../../view/lists/dependence.js';
import { type Listing, nameOf } from '../../view/lists/kept-lists.js';
import {
  fetchedCount,
  fetchedListPage,
  fetchedLoosePage,
  knownCount,
  knownListPage,
  type ListPage,
  type ListRequest,
} from '../../view/lists/list-page.js';
import type { MailboxView } from '../../view/mailbox-view.js';
import { fetchedPage, knownPage, type Page, type PageRequest } from '../../view/page.js';
import { listStateOf, rowsJson, stateOf } from '../../view/state.js';
import { decodeCursor, decodeListCursor, encodeCursor, encodeListCursor } from './page-cursor.js';

/** One way to answer `message.list`; answers are JSON without `meta` and without their end. */
export interface Answering {
  /** The UIDVALIDITY that the cursor is of. */
  uidValidity: number | undefined;
  /** What must be unchanged for the answer to be unchanged; undefined where it may change without news of the folder. */
  of: 'members' | 'folder' | undefined;
  /** From memory; undefined unless all of it is there. */
  known(view: MailboxView): string | undefined;
  fetched(view: MailboxView, connection: ImapConnection): Promise<string>;
}

type ListParams = Params<'message.list'>;

/** @throws BrokerError INVALID_PARAMS where members do not fit together */
export function requireFitting({ cursor, offset, limit, fields }: ListParams): void {
  if (cursor !== undefined && offset !== undefined) {
    throw new BrokerError('INVALID_PARAMS', 'offset: not together with cursor.', { field: 'offset' });
  }
  const { pageSize } = protocolLimits;
  if (limit > pageSize && fields.length > 0) {
    throw new BrokerError('INVALID_PARAMS', `limit: at most ${pageSize}, unless fields is empty.`, { field: 'limit' });
  }
}

/** All messages, in the order of the folder. */
export function inFolderOrder(params: ListParams, fields: readonly Field[]): Answering {
  const { mailbox, limit, cursor, offset } = params;
  const decoded = cursor === undefined ? undefined : decodeCursor(mailbox, cursor);
  const request: PageRequest = { start: decoded ?? (offset === undefined ? undefined : { offset }), limit, fields };
  const expected = params.uidValidity ?? decoded?.uidValidity;
  const json = (view: MailboxView, page: Page) => pageJson(mailbox, view, page, fields);
  // A list of all uids costs one command, and is kept; to learn the messages would take some.
  const whole = fields.length === 0 && limit > protocolLimits.pageSize;
  const ofAll = (view: MailboxView): ListRequest => {
    const near = decoded ? Math.max(0, view.members.exists - decoded.near + 1) : (offset ?? 0);
    return { filter: undefined, sort: undefined, start: { offset: near, after: decoded?.below }, limit, fields };
  };
  const wholeJson = (view: MailboxView, { uids, next, total }: ListPage) => {
    const boundary = next && { below: next.after ?? 0, near: total - next.offset + 1 };
    return json(view, { uids, next: boundary, above: (next?.offset ?? total) - uids.length });
  };
  return {
    uidValidity: decoded?.uidValidity,
    of: 'members',
    known: (view) => {
      const page = knownPage(view, request);
      if (page) return json(view, page);
      const list = whole ? knownListPage(view, ofAll(view)) : undefined;
      return list && wholeJson(view, list);
    },
    fetched: async (view, connection) => {
      const list = whole ? await fetchedListPage(view, connection, ofAll(view)) : undefined;
      if (list) return wholeJson(view, list);
      const page = await fetchedPage(view, connection, request);
      return page ? json(view, page) : farAway(connection, mailbox, request, expected);
    },
  };
}

/** Messages that match, or sorted ones. */
export function searched(params: ListParams, listing: Listing, fields: readonly Field[]): Answering {
  const { mailbox, limit, cursor, offset = 0 } = params;
  const name = nameOf(listing);
  const decoded = cursor === undefined ? undefined : decodeListCursor(mailbox, name, cursor);
  const start = { offset: decoded?.offset ?? offset, after: decoded?.after };
  const request: ListRequest = { ...listing, start, limit, fields };
  const expected = params.uidValidity ?? decoded?.uidValidity;
  const json = (uidValidity: number, { next, total }: ListPage, rows: string, state: string | null) => {
    const place = next && { after: next.after ?? 0, offset: next.offset };
    const nextCursor = place ? encodeListCursor({ mailbox, listing: name, uidValidity, ...place }) : null;
    return answerJson({ uidValidity, total, rows, nextCursor, nextOffset: next?.offset ?? null, state });
  };
  const keptJson = (view: MailboxView, page: ListPage) =>
    json(view.uidValidity ?? 0, page, rowsJson(view, page, fields), listStateOf(view, page.uids));
  return {
    uidValidity: decoded?.uidValidity,
    of: stableOf(listing),
    known: (view) => {
      const page = knownListPage(view, request);
      return page && keptJson(view, page);
    },
    fetched: async (view, connection) => {
      const page = await fetchedListPage(view, connection, request);
      if (page) return keptJson(view, page);
      const { uidValidity } = await connection.select(mailbox, { uidValidity: expected });
      const loose = await fetchedLoosePage(connection, request);
      return json(uidValidity, loose, JSON.stringify(loose.messages), null);
    },
  };
}

/** How many messages there are, or how many match. */
export function counted({ filter }: Listing): Answering {
  const json = (view: MailboxView, total: number, state: string | null) =>
    answerJson({
      uidValidity: view.uidValidity ?? 0,
      total,
      rows: '[]',
      nextCursor: null,
      nextOffset: null,
      state,
    });
  return {
    uidValidity: undefined,
    of: stableOf({ filter, sort: undefined }),
    known: (view) => {
      const total = knownCount(view, filter);
      return total === undefined ? undefined : json(view, total, stateOf(view));
    },
    fetched: async (view, connection) => {
      const { hits, settled } = await fetchedCount(view, connection, filter ?? {});
      return json(view, hits, settled ? stateOf(view) : null);
    },
  };
}

function stableOf({ filter }: Listing): 'folder' | undefined {
  return dependenceOf(filter) === 'time' ? undefined : 'folder';
}

interface Answered {
  uidValidity: number;
  total: number;
  /** As JSON. */
  rows: string;
  nextCursor: string | null;
  nextOffset: number | null;
  state: string | null;
}

function answerJson({ uidValidity, total, rows, nextCursor, nextOffset, state }: Answered): string {
  const rest = JSON.stringify({ nextCursor, nextOffset, state }).slice(1, -1);
  return `"uidValidity":${uidValidity},"total":${total},"messages":${rows},${rest}`;
}

function pageJson(mailbox: string, view: MailboxView, page: Page, fields: readonly Field[]): string {
  const { uidValidity = 0, members } = view;
  const { uids, next, above } = page;
  return answerJson({
    uidValidity,
    total: members.exists,
    rows: rowsJson(view, page, fields),
    nextCursor: next ? encodeCursor({ mailbox, uidValidity, ...next }) : null,
    nextOffset: next ? above + uids.length : null,
    state: listStateOf(view, uids),
  });
}

/**
 * A page far below the known pages, fetched without being kept.
 * @throws BrokerError STATE_CHANGED where the folder has become another one since it was found to be the expected one
 */
async function farAway(
  connection: ImapConnection,
  mailbox: string,
  { start, limit, fields }: { start: PageStart; limit: number; fields: readonly Field[] },
  expected: number | undefined,
): Promise<string> {
  const { uidValidity, exists } = await connection.select(mailbox, { uidValidity: expected });
  const { messages, next, above } = await fetchPage(connection, start, limit, fields);
  return answerJson({
    uidValidity,
    total: connection.selected?.exists ?? exists,
    rows: JSON.stringify(messages),
    nextCursor: next ? encodeCursor({ mailbox, uidValidity, ...next }) : null,
    nextOffset: next ? above + messages.length : null,
    state: null,
  });
}
