import type { ListField, MessageSummary } from '../../protocol/rows.js';
import type { ImapConnection } from '../connection/connection.js';
import { toIso } from '../mime/convert-date.js';
import { toEnvelope } from '../mime/envelope.js';
import { isAmbiguous } from '../mime/header-text.js';
import { bodyCharset, readStructure } from '../mime/structure.js';
import { hasAttachment } from '../mime/structure-readable.js';
import { toFlags } from '../wire/convert.js';
import { atom, type ImapAttribute, type ImapToken, numberOf, textOf } from '../wire/tokens.js';
import { type FetchedRow, fetchRows } from './fetch-rows.js';

/** Most messages in one FETCH: with more, an abort would take too long to be noticed. */
export const FETCH_BATCH = 200;

/** FETCH items by field, the short ones first: a row that is too long to be kept has those at least. */
const itemNames: Record<ListField, string> = {
  flags: 'FLAGS',
  size: 'RFC822.SIZE',
  internalDate: 'INTERNALDATE',
  preview: 'PREVIEW',
  envelope: 'ENVELOPE',
  hasAttachment: 'BODYSTRUCTURE',
};
const inOrder = Object.keys(itemNames) as ListField[];

/**
 * Index rows of messages by uid, in no order; messages that are gone are left out.
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

/** Rows of a set of at most {@link FETCH_BATCH} messages, by uid or by sequence number; usually one round trip. */
export async function fetchRange(
  connection: ImapConnection,
  set: string,
  by: 'uid' | 'sequence',
  fields: readonly ListField[],
): Promise<MessageSummary[]> {
  const doubtful = new DoubtfulRows();
  const reduce = (row: FetchedRow) => {
    const summary = toSummary(row, fields);
    doubtful.note(summary, row);
    return summary;
  };
  const amend = (summary: MessageSummary, items: FetchedRow['items']) => {
    if (summary.flags && items.has('FLAGS')) summary.flags = toFlags(items.get('FLAGS'));
  };
  const rows = await fetchRows(connection, set, itemsFor(connection, fields), by, { reduce, amend });
  await doubtful.readAgain(connection);
  return rows;
}

function itemsFor(connection: ImapConnection, fields: readonly ListField[]): ImapToken[] {
  const wanted = inOrder.filter((field) => fields.includes(field));
  return wanted
    .filter((field) => field !== 'preview' || connection.has('PREVIEW'))
    .map((field) => atom(itemNames[field]));
}

function toSummary({ uid, items, unreadable }: FetchedRow, fields: readonly ListField[]): MessageSummary {
  const row: MessageSummary = { uid };
  for (const field of fields) {
    const value = items.get(itemNames[field]);
    if (field === 'envelope') row.envelope = toEnvelope(value);
    if (field === 'flags') row.flags = toFlags(value);
    if (field === 'size') row.size = numberOf(value) ?? 0;
    if (field === 'internalDate') row.internalDate = toInternalDate(textOf(value));
    if (field === 'hasAttachment') row.hasAttachment = hasAttachment(readStructure(value).root);
    if (field === 'preview') row.preview = value ? textOf(value) : null;
  }
  if (unreadable.size > 0) row.unreadable = fields.filter((field) => unreadable.has(itemNames[field]));
  return row;
}

/** INTERNALDATE as RFC 3339; a date that cannot be read becomes the epoch, because every message must have one. */
export function toInternalDate(text: string): string {
  return toIso(text) ?? new Date(0).toISOString();
}

/** Most tokens of envelopes that are kept to be read again, over all rows of a command. */
const MOST_DOUBTFUL = 100_000;

/**
 * Rows whose envelopes have raw 8-bit characters that are not UTF-8. Such headers are most likely in the charset of the
 * message's body, so the envelopes are read again when that charset is known.
 */
class DoubtfulRows {
  readonly #rows = new Map<
    number,
    { summary: MessageSummary; envelope: ImapAttribute; charset: string | null | undefined }
  >();
  #tokens = 0;

  note(summary: MessageSummary, row: FetchedRow): void {
    const envelope = row.items.get('ENVELOPE');
    if (!envelope || !summary.envelope || !isAmbiguous(envelope)) return;
    this.#tokens += tokensIn(envelope);
    if (this.#tokens > MOST_DOUBTFUL) return;
    const structure = row.items.get('BODYSTRUCTURE');
    const charset = structure === undefined ? undefined : bodyCharset(structure);
    this.#rows.set(row.uid, { summary, envelope, charset });
  }

  async readAgain(connection: ImapConnection): Promise<void> {
    const open = [...this.#rows].filter(([, { charset }]) => charset === undefined).map(([uid]) => uid);
    if (open.length > 0) {
      const reduce = (row: FetchedRow) => ({ uid: row.uid, charset: bodyCharset(row.items.get('BODYSTRUCTURE')) });
      const found = await fetchRows(connection, open.join(','), [atom('BODYSTRUCTURE')], 'uid', { reduce });
      for (const { uid, charset } of found) {
        const row = this.#rows.get(uid);
        if (row) row.charset = charset;
      }
    }
    for (const { summary, envelope, charset } of this.#rows.values()) {
      if (charset) summary.envelope = toEnvelope(envelope, charset);
    }
  }
}

function tokensIn(attribute: ImapAttribute): number {
  return Array.isArray(attribute) ? attribute.reduce<number>((sum, member) => sum + tokensIn(member), 1) : 1;
}
