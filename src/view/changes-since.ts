import type { ImapConnection } from '../imap/connection/connection.js';
import { unlessRefused } from '../imap/mailboxes/mailbox-status.js';
import { fetchChanges } from '../imap/messages/fetch-flags.js';
import { searchSet } from '../imap/messages/search/search.js';
import { canonicalName } from '../imap/wire/mailbox-names.js';
import { atom, type ImapAttribute, listOf, mailboxName, modseqOf, nzNumberOf, textOf } from '../imap/wire/tokens.js';
import { protocolLimits } from '../protocol/limits.js';
import { fetchOlder } from './fetch-members.js';
import type { MailboxView } from './mailbox-view.js';
import { isInRanges, lowerBound, UidRanges } from './ranges.js';
import type { FolderState } from './state.js';

const { changedUids } = protocolLimits;
/** Longest set that is sent as it is; in place of a longer one goes the range from its first to its last uid. */
const SET_CHARACTERS = 7000;

type Range = [from: number, to: number];
/** Ascending, without overlaps. */
type Ranges = readonly Range[];

/** Which messages a change is asked about; undefined for all. */
export type Held = Ranges | undefined;

type Part = 'added' | 'changed' | 'removed';

/** What became of a folder. */
export interface FoundChanges {
  added: number[];
  /** Flags by uid. */
  changed: Map<number, string[]>;
  removed: number[];
  /** What the lists do not say, or not in full. */
  unknown: Set<Part>;
}

/**
 * Finds what became of a folder since a state that no log reaches back to: by the mod-sequence and the VANISHED
 * responses (RFC 7162 section 3.2.6) where the server has them, by the number of messages, and by what the caller has.
 * All messages that were announced must be known.
 * @returns undefined where the folder cannot be the one of the state
 * @throws BrokerError CONNECTION_LOST, TOO_LARGE
 */
export async function findChanges(
  view: MailboxView,
  connection: ImapConnection,
  then: FolderState,
  held: Held,
): Promise<FoundChanges | undefined> {
  const { members } = view;
  if (view.uidNext === undefined && members.exists > 0) await fetchOlder(view, connection, 1, []);
  if (then.uidNext === 0 && then.exists > 0) return undefined;
  const trust = await trusted(view, connection, then);
  if (!trust) return undefined;
  const unknown = new Set<Part>();
  const added = await addedSince(view, connection, then);
  const gone = then.exists - (members.exists - added.length);
  const changed = new Map<number, string[]>();
  const vanished = new UidRanges();
  const byModseq = trust.modseq && view.modseq !== undefined && then.modseq !== undefined;
  const tellsGone = byModseq && connection.enabled('QRESYNC');
  if (byModseq && then.uidNext > 1) {
    const take = (uid: number, flags: string[]) => {
      if (uid >= then.uidNext || (held && !isInRanges(held, uid))) return;
      if (changed.size < changedUids || changed.has(uid)) changed.set(uid, flags);
      else unknown.add('changed');
    };
    const set = `1:${then.uidNext - 1}`;
    const noteGone = tellsGone && gone > 0 ? (uids: string) => vanished.add(uids) : undefined;
    await fetchChanges(connection, set, then.modseq ?? 0n, take, noteGone);
  } else if (!byModseq && then.exists > 0) unknown.add('changed');
  const ofThen = await removedSince(view, connection, then, {
    gone,
    held,
    vanished: tellsGone ? vanished : undefined,
  });
  const removed = ofThen && [...ofThen, ...passedSince(then, view.uidNext ?? 1, added, held)];
  if (!removed || removed.length > changedUids) unknown.add('removed');
  if (added.length > changedUids) unknown.add('added');
  return { added: added.slice(-changedUids), changed, removed: removed?.slice(0, changedUids) ?? [], unknown };
}

/** Uids that are new, ascending: they only grow, and none is given twice (RFC 9051 section 2.3.1.1). */
async function addedSince(view: MailboxView, connection: ImapConnection, { uidNext }: FolderState): Promise<number[]> {
  const { base, uids, exists } = view.members;
  const next = view.uidNext ?? 1;
  if (exists === 0 || next <= uidNext) return [];
  const knowsAll = base === 0 || (uids[0] ?? Number.POSITIVE_INFINITY) <= uidNext;
  if (knowsAll) return uids.slice(lowerBound(uids, uidNext));
  // The range finds the last message also where that is older; what arrives meanwhile is told the next time.
  const found = await searchSet(connection, `${Math.max(1, uidNext)}:*`);
  return found.filter((uid, index) => uid >= uidNext && uid < next && uid !== found[index - 1]);
}

/**
 * Messages of the state that are gone; undefined where that cannot be told.
 * @param gone how many are, by the number of messages
 * @param vanished what the server has told; it may name more, also all that there could have been
 */
async function removedSince(
  view: MailboxView,
  connection: ImapConnection,
  { uidNext }: FolderState,
  { gone, held, vanished }: { gone: number; held: Held; vanished: UidRanges | undefined },
): Promise<number[] | undefined> {
  if (gone === 0) return [];
  const ranges = vanished && !vanished.full ? vanished.mergedBelow(uidNext) : [];
  const count = ranges.reduce((sum, [from, to]) => sum + to - from + 1, 0);
  if (gone > 0 && count >= gone && count <= changedUids) {
    const uids = ranges.flatMap(([from, to]) => Array.from({ length: to - from + 1 }, (_, index) => from + index));
    const lacking = uids.filter((uid) => view.members.flagsOf(uid) === undefined);
    if (lacking.length >= gone) return held ? lacking.filter((uid) => isInRanges(held, uid)) : lacking;
  }
  return held && missingOf(connection, held, uidNext);
}

/** Which of the uids the folder does not have, up to one more than an answer has. */
async function missingOf(connection: ImapConnection, held: Ranges, uidNext: number): Promise<number[]> {
  const asked = within(held, 1, uidNext - 1);
  const [first] = asked;
  const last = asked.at(-1);
  if (!first || !last) return [];
  const text = asked.map(([from, to]) => (from === to ? `${from}` : `${from}:${to}`)).join(',');
  const there = await searchSet(connection, text.length <= SET_CHARACTERS ? text : `${first[0]}:${last[1]}`);
  return absent(asked, there);
}

/**
 * Messages that came after the state and are gone: an answer in between may have shown them. A server assigns each uid
 * once, so a uid since then is of a message that is there or gone, or was skipped. Up to one more than an answer has.
 * @param next the next uid now
 * @param added the messages that are there since, ascending
 */
function passedSince({ uidNext }: FolderState, next: number, added: readonly number[], held: Held): number[] {
  const first = Math.max(1, uidNext);
  return next - first > added.length ? absent(within(held ?? [[first, next - 1]], first, next - 1), added) : [];
}

/** The parts of ranges that are within bounds. */
function within(ranges: Ranges, first: number, last: number): Ranges {
  return ranges
    .map(([from, to]): Range => [Math.max(from, first), Math.min(to, last)])
    .filter(([from, to]) => from <= to);
}

/** Uids of ascending ranges that are not among those that are there, ascending; up to one more than an answer has. */
function absent(ranges: Ranges, there: readonly number[]): number[] {
  const missing: number[] = [];
  let at = 0;
  for (const [from, to] of ranges) {
    for (let uid = from; uid <= to && missing.length <= changedUids; uid += 1) {
      while ((there[at] ?? Number.POSITIVE_INFINITY) < uid) at += 1;
      if (there[at] !== uid) missing.push(uid);
    }
  }
  return missing;
}

/**
 * Whether the folder may be the one of the state, by its numbers: they only grow, unless a server was restored from a
 * backup. The view may not have heard of the last ones, so the server is asked where they are smaller.
 * @returns undefined where uids may have been given twice; `modseq`: whether the mod-sequence is good
 */
async function trusted(
  view: MailboxView,
  connection: ImapConnection,
  then: FolderState,
): Promise<{ modseq: boolean } | undefined> {
  const { uidNext = 0, modseq = 0n } = view;
  if (then.uidNext <= uidNext && (then.modseq ?? 0n) <= modseq) return { modseq: true };
  const items = [atom('UIDNEXT'), ...(view.modseq === undefined ? [] : [atom('HIGHESTMODSEQ')])];
  let values: readonly ImapAttribute[] = [];
  const asked = connection.exec('read', 'STATUS', [mailboxName(view.name), items], {
    STATUS: ({ attributes: [name, list] }) => {
      if (canonicalName(connection.nameOf(name)) === view.name) values = listOf(list);
    },
  });
  await unlessRefused(asked);
  const told = (item: string) => {
    const at = values.findIndex((value) => textOf(value).toUpperCase() === item);
    return at < 0 ? undefined : values[at + 1];
  };
  const next = nzNumberOf(told('UIDNEXT'));
  if (next !== undefined && next < then.uidNext) return undefined;
  const highest = modseqOf(told('HIGHESTMODSEQ')) ?? modseq;
  return { modseq: (then.modseq ?? 0n) <= highest };
}
