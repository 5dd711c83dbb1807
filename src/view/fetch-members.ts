import { makesUpMissing } from '../imap/connection/capabilities.js';
import type { ImapConnection } from '../imap/connection/connection.js';
import { FETCH_BATCH, fetchRange, fetchSummaries } from '../imap/messages/fetch.js';
import { fetchFlags } from '../imap/messages/fetch-flags.js';
import { survivingExpunge } from '../imap/messages/fetch-rows.js';
import { BrokerError } from '../protocol/errors.js';
import { type Field, headersOf, type MessageSummary } from '../protocol/rows.js';
import type { MailboxView } from './mailbox-view.js';
import type { Member } from './membership.js';

/** Up to so many new messages are fetched with their rows; of more, only uids and flags: rows follow on request. */
const ROWS_AT_ONCE = 50;

/** How often fetched messages may turn out to be expunged. */
const MOST_TRIES = 8;

/** Learns the announced messages, as many as one command fetches. @returns false when the fetch must be retried */
export async function fetchNewest(
  view: MailboxView,
  connection: ImapConnection,
  fields: readonly Field[],
): Promise<boolean> {
  const { members } = view;
  const from = members.base + members.uids.length + 1;
  const few = members.unknownOnTop <= ROWS_AT_ONCE;
  const to = Math.min(members.exists, from + (few ? ROWS_AT_ONCE : 10 * FETCH_BATCH) - 1);
  const found = await fetchMembers(view, connection, { from, to }, few ? fields : []);
  if (!found) return false;
  members.addNewest(found);
  return true;
}

/** Learns all announced messages. @throws BrokerError IMAP_NO when messages come and go too quickly */
export async function fetchAllNew(view: MailboxView, connection: ImapConnection): Promise<void> {
  for (let tries = 0; view.members.unknownOnTop > 0; ) {
    if (!(await fetchNewest(view, connection, []))) tries += 1;
    if (tries > MOST_TRIES || !view.placed) {
      throw new BrokerError('IMAP_NO', 'The folder changes too quickly to be read.', { field: 'mailbox' });
    }
  }
}

/** Learns messages below the known ones. @returns false when the fetch must be retried */
export async function fetchOlder(
  view: MailboxView,
  connection: ImapConnection,
  count: number,
  fields: readonly Field[],
): Promise<boolean> {
  const to = view.members.base;
  // Without rows the response is short.
  const most = fields.length > 0 ? FETCH_BATCH : 10 * FETCH_BATCH;
  const from = Math.max(1, to - Math.min(count, most) + 1);
  const found = await fetchMembers(view, connection, { from, to }, fields);
  if (!found) return false;
  view.members.addOlder(found);
  return true;
}

/** Fetches the rows of known messages. @returns false when some messages turned out to be expunged */
export async function fetchMissing(
  view: MailboxView,
  connection: ImapConnection,
  uids: readonly number[],
  fields: readonly Field[],
): Promise<boolean> {
  const lacking = view.rows.lacking(uids, fields);
  const rows = await survivingExpunge(connection, () => fetchSummaries(connection, uids, lacking));
  if (!(await holds(view, connection)) || !connection.isFollowedBy(view)) return false;
  for (const row of rows) if (view.members.flagsOf(row.uid) !== undefined) view.rows.add(row, headersOf(lacking));
  if (rows.length >= uids.length) return true;
  await hearOfVanished(view, connection);
  return false;
}

/**
 * Fetches rows of messages that need not be known ones; their flags are what the connection tells the view. Where some
 * turn out to be expunged, the view has heard of that afterwards.
 */
export async function fetchListed(
  view: MailboxView,
  connection: ImapConnection,
  uids: readonly number[],
  fields: readonly Field[],
): Promise<void> {
  const kept = view.rows.lacking(uids, fields).filter((field) => field !== 'flags');
  const lacking: Field[] = fields.includes('flags') ? [...kept, 'flags'] : kept;
  const rows = await survivingExpunge(connection, () => fetchSummaries(connection, uids, lacking));
  if (!(await holds(view, connection)) || !connection.isFollowedBy(view)) return;
  for (const row of rows) view.rows.add(row, headersOf(lacking));
  if (rows.length < uids.length) await hearOfVanished(view, connection);
}

/**
 * Fetches messages by sequence number. No EXPUNGE may come meanwhile (RFC 9051 section 7.5.1), so that the numbers keep
 * their meaning. Where the server sends an EXPUNGE all the same, or leaves expunged messages out, the result is
 * undefined and the fetch is retried.
 */
async function fetchMembers(
  view: MailboxView,
  connection: ImapConnection,
  { from, to }: { from: number; to: number },
  fields: readonly Field[],
): Promise<Member[] | undefined> {
  const { members } = view;
  const { shifts } = members;
  const set = `${from}:${to}`;
  const rows: MessageSummary[] =
    fields.length > 0
      ? await survivingExpunge(connection, () =>
          fetchRange(connection, set, 'sequence', [...new Set<Field>([...fields, 'flags'])]),
        )
      : Array.from(await fetchFlags(connection, set, 'sequence'), ([uid, flags]) => ({ uid, flags }));
  if (!(await holds(view, connection)) || members.shifts !== shifts) return undefined;
  if (rows.length !== to - from + 1) {
    await hearOfVanished(view, connection);
    return undefined;
  }
  rows.sort((a, b) => a.uid - b.uid);
  for (const row of rows) view.rows.add(row, headersOf(fields));
  return rows.map(({ uid, flags = [] }) => ({ uid, flags }));
}

/** Whether a fetch is valid: where the server makes up expunged messages, only if a NOOP reports no expunge. */
async function holds(view: MailboxView, connection: ImapConnection): Promise<boolean> {
  if (!makesUpMissing(connection)) return true;
  const { shifts } = view.members;
  await hearOfVanished(view, connection);
  return view.members.shifts === shifts;
}

async function hearOfVanished(view: MailboxView, connection: ImapConnection): Promise<void> {
  if (!(await connection.refresh())) view.abandon();
}
