import type { ImapConnection } from '../imap/connection/connection.js';
import type { SelectedMailbox } from '../imap/connection/selected-mailbox.js';
import { fetchFlags } from '../imap/messages/fetch-flags.js';
import { searchSet } from '../imap/messages/search/search.js';
import { flagString } from './flag-strings.js';
import type { MailboxView } from './mailbox-view.js';
import type { Member } from './membership.js';
import type { SelectReport } from './select-report.js';

/** Messages come and go while a view is placed; after so many tries the view starts over instead. */
const TRIES = 10;

/**
 * Selects the folder and brings the view up to date on that selection: by QRESYNC where enabled, else by CONDSTORE,
 * else by fetching the flags of the known messages (RFC 7162 sections 3.2.5 and 3.1.4). From then on the view follows
 * the connection.
 * @param most messages that stay known where the server reports no changes: the flags of all of them are fetched
 * @throws BrokerError NOT_FOUND, IMAP_NO, CONNECTION_LOST
 */
export async function placeView(
  view: MailboxView,
  connection: ImapConnection,
  mailbox: string,
  most: number,
): Promise<void> {
  for (let tries = 0; tries < TRIES; tries += 1) {
    if (await tryToPlace(view, connection, mailbox, most)) return;
  }
  view.startPlacing(connection);
  view.begin(await connection.follow(mailbox, view));
}

async function tryToPlace(
  view: MailboxView,
  connection: ImapConnection,
  mailbox: string,
  most: number,
): Promise<boolean> {
  const { uidValidity, modseq, members, unsure } = view;
  const quick = connection.enabled('QRESYNC') && uidValidity !== undefined && modseq !== undefined && !unsure;
  const report = view.startPlacing(connection);
  const selected = await connection.follow(mailbox, view, quick ? { uidValidity, modseq } : undefined);
  view.settleOn();
  // What another folder was told of cannot be told from what this one has.
  if (!view.isOf(selected) || knowsNothing(view) || unsure) {
    view.begin(selected);
    return true;
  }
  if (modseq === undefined || selected.highestModseq === undefined) {
    view.truncate(most);
    return byFlags(view, connection, selected);
  }
  if (quick) return byQresync(view, connection, selected, report);
  // The server may have been restored from a backup.
  if (selected.highestModseq < modseq) return byFlags(view, connection, selected);
  if (selected.highestModseq === modseq && selected.exists === members.exists && !mayHaveNew(view, selected)) {
    view.resume(selected, { removed: [], flags: new Map(), added: [] });
    return true;
  }
  return byCondstore(view, connection, selected, modseq);
}

function knowsNothing({ members }: MailboxView): boolean {
  return members.uids.length === 0 && members.base > 0;
}

function mayHaveNew({ members }: MailboxView, { uidNext, exists }: SelectedMailbox): boolean {
  return exists > 0 && (uidNext === undefined || uidNext > members.highest + 1);
}

async function byQresync(
  view: MailboxView,
  connection: ImapConnection,
  selected: SelectedMailbox,
  report: SelectReport,
): Promise<boolean> {
  const { members } = view;
  const fresh = mayHaveNew(view, selected)
    ? await fetchFlags(connection, `${members.highest + 1}:*`, 'uid')
    : new Map<number, string[]>();
  if (view.disturbed || report.vanished.full) return false;
  const removed = report.vanished.of(members.uids);
  return resume(view, selected, { removed, flags: report.flags, added: newer(fresh, members.highest) }, report);
}

/** Uids only grow: if the folder has as many messages as the known and the new together, no known one is gone. */
async function byCondstore(
  view: MailboxView,
  connection: ImapConnection,
  selected: SelectedMailbox,
  modseq: bigint,
): Promise<boolean> {
  const { members } = view;
  const first = members.uids[0] ?? members.highest + 1;
  const changed =
    selected.exists > 0 ? await fetchFlags(connection, `${first}:*`, 'uid', modseq) : new Map<number, string[]>();
  // Messages that were announced and never fetched may be older than the mod-sequence that the view has reached.
  const announced = members.unknownOnTop > 0 && selected.exists > 0;
  const fresh = announced ? await fetchFlags(connection, `${members.highest + 1}:*`, 'uid') : changed;
  const added = newer(fresh, members.highest);
  const complete = selected.exists === members.exists - members.unknownOnTop + added.length;
  const there = complete || selected.exists === 0 ? undefined : new Set(await searchSet(connection, `${first}:*`));
  if (view.disturbed) return false;
  const removed = complete ? [] : members.uids.filter((uid) => !there?.has(uid));
  return resume(view, selected, { removed, flags: strings(changed), added });
}

/** Fetches all flags again, which also shows which messages are gone. */
async function byFlags(view: MailboxView, connection: ImapConnection, selected: SelectedMailbox): Promise<boolean> {
  const { members } = view;
  const first = members.uids[0] ?? members.highest + 1;
  const there = selected.exists > 0 ? await fetchFlags(connection, `${first}:*`, 'uid') : new Map<number, string[]>();
  if (view.disturbed) return false;
  const removed = members.uids.filter((uid) => !there.has(uid));
  return resume(view, selected, { removed, flags: strings(there), added: newer(there, members.highest) });
}

/** @returns false when the message counts do not add up, so that the server did not report some change */
function resume(
  view: MailboxView,
  selected: SelectedMailbox,
  changes: { removed: number[]; flags: Map<number, string>; added: Member[] },
  report?: SelectReport,
): boolean {
  const { members } = view;
  const complete = members.base === 0;
  const below = selected.exists - (members.uids.length - changes.removed.length + changes.added.length);
  if (below < 0 || (complete && below !== 0)) return false;
  view.resume(selected, changes, report);
  return true;
}

/** Messages above a uid, ascending; `n:*` includes the last message even when its uid is below n. */
function newer(found: ReadonlyMap<number, string[]>, highest: number): Member[] {
  return [...found]
    .filter(([uid]) => uid > highest)
    .map(([uid, flags]) => ({ uid, flags }))
    .sort((a, b) => a.uid - b.uid);
}

function strings(found: ReadonlyMap<number, string[]>): Map<number, string> {
  return new Map(Array.from(found, ([uid, flags]) => [uid, flagString(flags)]));
}
