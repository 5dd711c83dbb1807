import type { Field } from '../protocol/rows.js';
import type { MailboxView } from './mailbox-view.js';
import type { Page } from './page.js';

/** What a state says. Everything but `view`, `version` and `stamp` is also true in another process. */
export interface FolderState {
  /** {@link MailboxView.id}: the view whose log `version` counts. */
  view: string;
  /** Whether the log of the view tells all changes of the messages that were answered: see {@link lastingStateOf}. */
  logged: boolean;
  /** {@link tagOf} the folder. */
  tag: string;
  uidValidity: number;
  version: number;
  stamp: number;
  /** Messages below `uidNext`. */
  exists: number;
  /** 0 where it was not known. */
  uidNext: number;
  /** All changes up to this mod-sequence were known; undefined where the server has none. */
  modseq: bigint | undefined;
}

/** Behind the view in a state of messages of which its log does not tell all. */
const UNLOGGED = '.';

/** The current state of a folder, from which later changes are computed. */
export function stateOf(view: MailboxView): string {
  return stateBy(view.id, view);
}

/**
 * The current state of a folder for a caller who knows messages that the view may not know, by answers of an earlier
 * view: the log of this one tells all later changes only where it knows all messages.
 */
export function lastingStateOf(view: MailboxView): string {
  return view.members.base === 0 ? stateOf(view) : stateBy(`${view.id}${UNLOGGED}`, view);
}

/**
 * The current state of a folder for an answer with messages that need not be among those that the view knows, as a
 * search finds them.
 */
export function listStateOf(view: MailboxView, uids: readonly number[]): string {
  if (view.members.base === 0 || uids.every((uid) => view.members.flagsOf(uid) !== undefined)) return stateOf(view);
  view.log.noteUntold();
  return lastingStateOf(view);
}

function stateBy(id: string, view: MailboxView): string {
  const { uidValidity, log, stamp, members, uidNext = 0, modseq } = view;
  // Messages that were announced and are not known yet have uids from `uidNext` on.
  const numbers = [uidValidity, log.version, stamp, members.exists - members.unknownOnTop, uidNext];
  return [id, tagOf(view), ...numbers, ...(modseq === undefined ? [] : [modseq])].join('.');
}

/**
 * Few characters that tell apart folders of one UIDVALIDITY: by MAILBOXID (RFC 8474), which a renamed folder keeps, else
 * by name.
 */
function tagOf({ mailboxId, name }: Pick<MailboxView, 'mailboxId' | 'name'>): string {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(mailboxId === undefined ? `n${name}` : `i${mailboxId}`))
    hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  return hash.toString(36);
}

/** What a state string says; undefined for any string that {@link stateOf} has not made. */
export function readState(state: string): FolderState | undefined {
  const [, view, mark, tag, ...numbers] =
    /^([0-9a-z]+)(\.?)\.([0-9a-z]{1,7})\.(\d{1,10})\.(\d{1,15})\.(\d{1,15})\.(\d{1,10})\.(\d{1,10})(?:\.(\d{1,20}))?$/.exec(
      state,
    ) ?? [];
  if (view === undefined || tag === undefined) return undefined;
  const [uidValidity = 0, version = 0, stamp = 0, exists = 0, uidNext = 0] = numbers.slice(0, 5).map(Number);
  const modseq = numbers[5] === undefined ? undefined : BigInt(numbers[5]);
  const logged = mark !== UNLOGGED;
  return { view, logged, tag, uidValidity, version, stamp, exists, uidNext, modseq };
}

/** What a state says of the folder that the view is of; undefined where it is of another folder, or no state. */
export function stateOfSame(view: MailboxView, state: string): FolderState | undefined {
  const read = readState(state);
  return read && read.uidValidity === view.uidValidity && read.tag === tagOf(view) ? read : undefined;
}

/** The version since which the log of this view tells all that a caller with this state must know; else undefined. */
export function versionOf(view: MailboxView, state: string): number | undefined {
  const then = stateOfSame(view, state);
  if (then?.view !== view.id || !then.logged || !view.log.tellsAllSince(then.version)) return undefined;
  return then.version;
}

/**
 * Whether an answer is still true that carried this state.
 * @param of what the answer followed from: `members`, messages that the view knows; `folder`, any message, as with a
 *   search. The view must be confirmed, and all of its messages known.
 */
export function isUnchanged(view: MailboxView, state: string, of: 'members' | 'folder'): boolean {
  const then = stateOfSame(view, state);
  if (!then || !view.placed || view.members.unknownOnTop > 0 || then.exists !== view.members.exists) return false;
  if (then.view === view.id)
    return then.version === view.log.version && ((of === 'members' && then.logged) || then.stamp === view.stamp);
  // Without a log: equal mod-sequences show that no flag changed; the next uid and the count, that nothing came or went.
  const same = then.modseq === view.highestModseq && then.uidNext === view.uidNext;
  return same && then.modseq !== undefined && then.uidNext > 0;
}

/** The answer in place of one that is unchanged, as JSON without its `meta` and its end. */
export function unchangedJson(state: string): string {
  return `"unchanged":true,"state":"${state}"`;
}

/** The rows of a page as a JSON array. */
export function rowsJson(view: MailboxView, { uids }: Pick<Page, 'uids'>, fields: readonly Field[]): string {
  return `[${uids.map((uid) => view.rows.json(uid, fields, view.flagsOf(uid) ?? '[]')).join(',')}]`;
}
