import type { ImapConnection } from '../imap/connection/connection.js';
import type { Boundary, PageStart } from '../imap/messages/index-page.js';
import type { Field } from '../protocol/rows.js';
import { fetchMissing, fetchNewest, fetchOlder } from './fetch-members.js';
import type { MailboxView } from './mailbox-view.js';
import { lowerBound } from './ranges.js';

export interface PageRequest {
  start: PageStart;
  limit: number;
  fields: readonly Field[];
}

/** Messages of a page, newest first, and where the next page begins. */
export interface Page {
  uids: number[];
  next: Boundary | undefined;
  /** Messages above the page. */
  above: number;
}

/** Most known messages of a folder; pages further down are fetched without being kept. */
const MOST_KNOWN = 20_000;
/** Most messages between the known ones and a page that is to be kept: beyond that the page alone is fetched. */
const MOST_BETWEEN = 500;
/** Tries for a page: messages that vanish while the page is put together make it start over. */
const TRIES = 8;

type Slice = { page: Page } | { older: number } | 'away';

/** A page from memory; undefined when a part of the page is missing. */
export function knownPage(view: MailboxView, { start, limit, fields }: PageRequest): Page | undefined {
  if (!view.placed || view.members.unknownOnTop > 0) return undefined;
  const slice = sliceOf(view, start, limit);
  if (slice === 'away' || 'older' in slice) return undefined;
  return slice.page.uids.every((uid) => view.rows.has(uid, fields)) ? slice.page : undefined;
}

/**
 * A page; rows that are missing in memory are fetched on the connection that the view follows.
 * @returns undefined when the page is too far below the known messages, or the folder changes too quickly
 */
export async function fetchedPage(
  view: MailboxView,
  connection: ImapConnection,
  request: PageRequest,
): Promise<Page | undefined> {
  const { start, limit, fields } = request;
  for (let tries = 0; tries < TRIES && view.placed && connection.isFollowedBy(view); ) {
    let progress: boolean;
    if (view.members.unknownOnTop > 0) {
      progress = await fetchNewest(view, connection, fields);
    } else {
      const slice = sliceOf(view, start, limit);
      if (slice === 'away') return undefined;
      if ('page' in slice) {
        const missing = slice.page.uids.filter((uid) => !view.rows.has(uid, fields));
        if (missing.length === 0) return slice.page;
        progress = await fetchMissing(view, connection, missing, fields);
      } else {
        progress = await fetchOlder(view, connection, slice.older, fields);
      }
    }
    if (!progress) tries += 1;
  }
  return undefined;
}

function sliceOf({ members: { uids, base } }: MailboxView, start: PageStart, limit: number): Slice {
  const first = uids[0];
  const offset = start && 'offset' in start ? start.offset : undefined;
  const below = start && 'below' in start ? start.below : undefined;
  if (below !== undefined && base > 0 && (first === undefined || below < first)) return 'away';
  // Messages between the known ones and the page.
  const between = offset === undefined ? 0 : Math.min(base, Math.max(0, offset - uids.length));
  if (between > MOST_BETWEEN) return 'away';
  const top = below === undefined ? Math.max(0, uids.length - (offset ?? 0)) : lowerBound(uids, below);
  const bottom = Math.max(0, top - limit);
  const lacking = Math.min(between + limit - (top - bottom), base);
  if (lacking > 0) return uids.length + lacking > MOST_KNOWN ? 'away' : { older: lacking };
  const page = uids.slice(bottom, top).reverse();
  const last = page.at(-1);
  const more = bottom > 0 || base > 0;
  const next = more && last !== undefined ? { below: last, near: base + bottom + 1 } : undefined;
  return { page: { uids: page, next, above: uids.length - top } };
}
