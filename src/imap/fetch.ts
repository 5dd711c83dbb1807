import type { ListField, MessageSummary } from '../protocol/models.js';
import type { ImapConnection } from './connection.js';
import { toFlags } from './convert.js';
import { type FetchedRow, fetchRows } from './fetch-rows.js';
import { toIso } from './mime/convert-date.js';
import { toEnvelope } from './mime/envelope.js';
import { isAmbiguous } from './mime/header-text.js';
import { bodyCharset, readStructure } from './mime/structure.js';
import { hasAttachment } from './mime/structure-readable.js';
import { atom, type ImapToken, numberOf, textOf } from './raw-exec.js';

/** Messages in one FETCH: more would keep the connection from noticing an abort for too long. */
export const FETCH_BATCH = 200;

const itemNames: Record<ListField, string> = {
  envelope: 'ENVELOPE',
  flags: 'FLAGS',
  size: 'RFC822.SIZE',
  internalDate: 'INTERNALDATE',
  hasAttachment: 'BODYSTRUCTURE',
  preview: 'PREVIEW',
};

/**
 * Rows of an index by uid, in no order; messages that are gone are left out.
 * @throws BrokerError as commands of the connection do
 */
export async function fetchSummaries(
  connection: ImapConnection,
  uids: readonly number[],
  fields: readonly ListField[],
): Promise<MessageSummary[]> {
  const rows: MessageSummary[] = [];
  for (let from = 0; from < uids.length; from += FETCH_BATCH) {
    const set = uids.slice(from, from + FETCH_BATCH).join(',');
    rows.push(...(await fetchRange(connection, set, 'uid', fields)));
  }
  return rows;
}

/** Rows of a set of at most {@link FETCH_BATCH} messages, by uid or by sequence number; one round trip as a rule. */
export async function fetchRange(
  connection: ImapConnection,
  set: string,
  by: 'uid' | 'sequence',
  fields: readonly ListField[],
): Promise<MessageSummary[]> {
  const rows = await fetchRows(connection, set, itemsFor(connection, fields), by);
  const charsets = await fallbackCharsets(connection, rows);
  return rows.map((row) => toSummary(row, fields, charsets.get(row.uid) ?? null));
}

function itemsFor(connection: ImapConnection, fields: readonly ListField[]): ImapToken[] {
  const offered = fields.filter((field) => field !== 'preview' || connection.has('PREVIEW'));
  return [...new Set(offered)].map((field) => atom(itemNames[field]));
}

function toSummary({ uid, items }: FetchedRow, fields: readonly ListField[], charset: string | null): MessageSummary {
  const row: MessageSummary = { uid };
  for (const field of fields) {
    const value = items.get(itemNames[field]);
    if (field === 'envelope') row.envelope = toEnvelope(value, charset);
    if (field === 'flags') row.flags = toFlags(value);
    if (field === 'size') row.size = numberOf(value) ?? 0;
    if (field === 'internalDate') row.internalDate = toInternalDate(textOf(value));
    if (field === 'hasAttachment') row.hasAttachment = hasAttachment(readStructure(value).root);
    if (field === 'preview') row.preview = value ? textOf(value) : null;
  }
  return row;
}

/** INTERNALDATE as RFC 3339; every message has one, so a server that says nonsense means the epoch. */
export function toInternalDate(text: string): string {
  return toIso(text) ?? new Date(0).toISOString();
}

/** What raw 8-bit headers that are not UTF-8 are most likely written in: the charset of the body below them. */
async function fallbackCharsets(
  connection: ImapConnection,
  rows: readonly FetchedRow[],
): Promise<ReadonlyMap<number, string>> {
  const ambiguous = rows.filter(({ items }) => isAmbiguous(items.get('ENVELOPE')));
  if (ambiguous.length === 0) return new Map();
  const set = ambiguous.map(({ uid }) => uid).join(',');
  const known = ambiguous.every(({ items }) => items.has('BODYSTRUCTURE'));
  const described = known ? ambiguous : await fetchRows(connection, set, [atom('BODYSTRUCTURE')], 'uid');
  return new Map(
    described.flatMap(({ uid, items }) => {
      const charset = bodyCharset(items.get('BODYSTRUCTURE'));
      return charset === null ? [] : [[uid, charset] as const];
    }),
  );
}
