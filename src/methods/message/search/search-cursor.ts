import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { SortKey } from '../../../imap/mime/sort-key.js';
import { BrokerError } from '../../../protocol/errors.js';

/** Where the next page of a search begins. */
export interface SearchCursor {
  /** The order that the page was taken from; another broker, and this one later, may not have it any more. */
  order: string;
  /** Places before the next page. */
  position: number;
  /** The last message of the page before: behind it the search goes on where the order is made anew. */
  folder: string;
  uidValidity: number;
  uid: number;
  /** Its sort keys, shortened; undefined where they are not known. */
  keys: SortKey[] | undefined;
}

/** Most octets of a key in a cursor, as JSON. */
const MOST_KEY = 60;

const content = z.tuple([
  z.string().max(16),
  z.string().max(16),
  z.int().min(0),
  z.string().max(16),
  z.int().min(0),
  z.int().min(0),
  z
    .array(z.union([z.number(), z.string().max(100)]))
    .max(3)
    .nullable(),
]);

/** A few characters that tell questions, or folders, apart. */
export function tagOf(text: string): string {
  return createHash('sha256').update(text).digest('base64url').slice(0, 8);
}

/** A key that fits into a cursor. */
export function shortKey(key: SortKey): SortKey {
  if (typeof key === 'number') return key;
  let text = key.slice(0, MOST_KEY);
  while (Buffer.byteLength(JSON.stringify(text)) > MOST_KEY) text = text.slice(0, Math.floor(text.length * 0.9));
  return text;
}

export function encodeSearchCursor(question: string, cursor: SearchCursor): string {
  const { order, position, folder, uidValidity, uid, keys } = cursor;
  const parts = [tagOf(question), order, position, folder, uidValidity, uid, keys?.map(shortKey) ?? null];
  return Buffer.from(JSON.stringify(parts)).toString('base64url');
}

/** @throws BrokerError INVALID_PARAMS for anything that no page of this search answered */
export function decodeSearchCursor(question: string, cursor: string): SearchCursor {
  const refuse = (why: string) => new BrokerError('INVALID_PARAMS', `cursor: ${why}`, { field: 'cursor' });
  const parsed = content.safeParse(jsonOf(Buffer.from(cursor, 'base64url').toString()));
  if (!parsed.success) throw refuse('not one that message.search answered.');
  const [tag, order, position, folder, uidValidity, uid, keys] = parsed.data;
  if (tag !== tagOf(question)) throw refuse('of another search; ask for its first page.');
  return { order, position, folder, uidValidity, uid, keys: keys ?? undefined };
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
