import type { ListField } from '../protocol/rows.js';
import type { MailboxView } from './mailbox-view.js';
import type { Page } from './page.js';

/** What a state says. Everything but `view`, `version` and `stamp` is also true in another process. */
export interface FolderState {
  /** {@link MailboxView.id}: the view whose log `version` counts. */
  view: string;
  uidValidity: number;
  version: number;
  stamp: number;
  exists: number;
  /** 0 where it was not known. */
  uidNext: number;
  /** All changes up to this mod-sequence were known; undefined where the server has none. */
  modseq: bigint | undefined;
}

/** The current state of a folder, from which later changes are computed. */
export function stateOf({ id, uidValidity, log, stamp, members, uidNext = 0, modseq }: MailboxView): string {
  const numbers = [uidValidity, log.version, stamp, members.exists, uidNext];
  return [id, ...numbers, ...(modseq === undefined ? [] : [modseq])].join('.');
}

/** What a state string says; undefined for any string that {@link stateOf} has not made. */
export function readState(state: string): FolderState | undefined {
  const [, view, ...numbers] =
    /^([0-9a-z]+)\.(\d{1,10})\.(\d{1,15})\.(\d{1,15})\.(\d{1,10})\.(\d{1,10})(?:\.(\d{1,20}))?$/.exec(state) ?? [];
  if (view === undefined) return undefined;
  const [uidValidity = 0, version = 0, stamp = 0, exists = 0, uidNext = 0] = numbers.slice(0, 5).map(Number);
  const modseq = numbers[5] === undefined ? undefined : BigInt(numbers[5]);
  return { view, uidValidity, version, stamp, exists, uidNext, modseq };
}

/** The version in a state string of this view; undefined for any other string. */
export function versionOf({ id, uidValidity }: MailboxView, state: string): number | undefined {
  const read = readState(state);
  return read?.view === id && read.uidValidity === uidValidity ? read.version : undefined;
}

/**
 * Whether an answer is still true that carried this state.
 * @param of what the answer followed from: `members`, messages that the view knows; `folder`, any message, as with a
 *   search. The view must be confirmed, and all of its messages known.
 */
export function isUnchanged(view: MailboxView, state: string, of: 'members' | 'folder'): boolean {
  const then = readState(state);
  if (!then || !view.placed || view.members.unknownOnTop > 0) return false;
  if (then.uidValidity !== view.uidValidity || then.exists !== view.members.exists) return false;
  if (then.view === view.id)
    return then.version === view.log.version && (of === 'members' || then.stamp === view.stamp);
  // Without a log: equal mod-sequences show that no flag changed; the next uid and the count, that nothing came or went.
  const same = then.modseq === view.highestModseq && then.uidNext === view.uidNext;
  return same && then.modseq !== undefined && then.uidNext > 0;
}

/** The answer in place of one that is unchanged, as JSON without its `meta` and its end. */
export function unchangedJson(state: string): string {
  return `"unchanged":true,"state":"${state}"`;
}

/** The rows of a page as a JSON array. */
export function rowsJson(view: MailboxView, { uids }: Pick<Page, 'uids'>, fields: readonly ListField[]): string {
  return `[${uids.map((uid) => view.rows.json(uid, fields, view.flagsOf(uid) ?? '[]')).join(',')}]`;
}
