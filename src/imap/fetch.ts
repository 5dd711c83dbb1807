import type { FetchMessageObject, FetchQueryObject } from 'imapflow';
import type { ListField, MessageSummary } from '../protocol/models.js';
import type { ImapConnection } from './connection.js';
import { toEnvelope, toFlags, toIso } from './convert.js';
import { atom, listOf, numberOf, rawExec, sequence, textOf } from './raw-exec.js';
import { repairEnvelopes } from './raw-headers.js';
import { hasAttachment, toStructure } from './structure.js';

/** Messages in one FETCH: more would keep the connection from noticing an abort for too long. */
export const FETCH_BATCH = 200;

/** What has to be fetched for the fields of a row. PREVIEW has a command of its own. */
export function fetchQuery(fields: readonly ListField[]): FetchQueryObject {
  const wanted = new Set(fields);
  return {
    uid: true,
    flags: wanted.has('flags'),
    envelope: wanted.has('envelope'),
    size: wanted.has('size'),
    internalDate: wanted.has('internalDate'),
    bodyStructure: wanted.has('hasAttachment'),
  };
}

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
    const range = uids.slice(from, from + FETCH_BATCH).join(',');
    rows.push(...(await fetchRange(connection, range, true, fields)));
  }
  return rows;
}

/** Rows of a range of at most {@link FETCH_BATCH} messages, by uid or by sequence number. */
export async function fetchRange(
  connection: ImapConnection,
  range: string,
  byUid: boolean,
  fields: readonly ListField[],
): Promise<MessageSummary[]> {
  const query = fetchQuery(fields);
  const messages = await connection.command('read', (flow) => flow.fetchAll(range, query, { uid: byUid }));
  // Servers announce changed flags in FETCH responses of their own, which name no uid or lack what was asked for.
  const complete = messages.filter((message) => isComplete(message, query));
  if (query.envelope) await repairEnvelopes(connection, complete);
  const previews = fields.includes('preview') ? await fetchPreviews(connection, complete) : undefined;
  return complete.map((message) => toSummary(message, fields, previews));
}

function isComplete(message: FetchMessageObject, query: FetchQueryObject): boolean {
  if (!message.uid) return false;
  if (query.envelope && !message.envelope) return false;
  return !(query.size && message.size === undefined);
}

function toSummary(
  message: FetchMessageObject,
  fields: readonly ListField[],
  previews: ReadonlyMap<number, string> | undefined,
): MessageSummary {
  const row: MessageSummary = { uid: message.uid };
  for (const field of fields) {
    if (field === 'envelope') row.envelope = toEnvelope(message.envelope);
    if (field === 'flags') row.flags = toFlags(message.flags);
    if (field === 'size') row.size = message.size ?? 0;
    if (field === 'internalDate') row.internalDate = toIso(message.internalDate) ?? new Date(0).toISOString();
    if (field === 'hasAttachment') row.hasAttachment = hasAttachment(toStructure(message.bodyStructure));
    if (field === 'preview') row.preview = previews?.get(message.uid) ?? null;
  }
  return row;
}

/** PREVIEW of each message (RFC 8970); empty where the server has none. */
async function fetchPreviews(
  connection: ImapConnection,
  messages: readonly FetchMessageObject[],
): Promise<Map<number, string>> {
  const previews = new Map<number, string>();
  const uids = messages.map(({ uid }) => uid);
  if (uids.length === 0 || !connection.has('PREVIEW')) return previews;
  await rawExec(connection, 'read', 'UID FETCH', [sequence(uids.join(',')), [atom('UID'), atom('PREVIEW')]], {
    FETCH: ({ attributes }) => {
      const items = listOf(attributes[1]);
      const itemOf = (name: string) =>
        items[items.findIndex((item) => textOf(item).toUpperCase() === name) + 1] ?? undefined;
      const uid = numberOf(itemOf('UID'));
      const preview = itemOf('PREVIEW');
      if (uid !== undefined && preview) previews.set(uid, textOf(preview));
    },
  });
  return previews;
}
