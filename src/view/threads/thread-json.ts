import { sentAt } from '../../imap/mime/sort-key.js';
import type { Envelope } from '../../protocol/models.js';
import type { Field } from '../../protocol/rows.js';
import type { MailboxView } from '../mailbox-view.js';
import { type Forest, treeJson } from './forest.js';
import type { SortedUids } from './sorted-uids.js';

/** A conversation of a page. */
export interface ShownThread {
  /** Its place in the forest. */
  index: number;
  /** Its messages, oldest first. */
  uids: number[];
  /** Those of them whose rows are answered, oldest first. */
  rows: number[];
}

const SEEN = '"\\\\Seen"';

/**
 * A conversation as JSON; all of it must be known to the view.
 * @param unseen the unseen messages among those that the view does not know
 */
export function threadJson(
  view: MailboxView,
  forest: Forest,
  { index, uids, rows }: ShownThread,
  fields: readonly Field[],
  unseen: SortedUids | undefined,
): string {
  let count = 0;
  for (const uid of uids) {
    const flags = view.flagsOf(uid);
    if (flags === undefined ? unseen?.has(uid) : !isSeen(flags)) count += 1;
  }
  const messages = rows.map((uid) => view.rows.json(uid, fields, view.flagsOf(uid) ?? '[]'));
  const more = fields.length > 0 && rows.length < uids.length;
  const numbers = `"count":${uids.length},"unseen":${count},"newest":"${newestDate(view, uids.at(-1))}"`;
  return `{"tree":${treeJson(forest, index)},${numbers},"messages":[${messages.join(',')}],"more":${more}}`;
}

function isSeen(flags: string): boolean {
  return flags.includes(SEEN);
}

function newestDate(view: MailboxView, uid: number | undefined): string {
  const at = uid === undefined ? 0 : (view.conversations.nodes.dateOf(uid) ?? dateInRow(view, uid));
  const date = new Date(at);
  return (Number.isNaN(date.getTime()) ? new Date(0) : date).toISOString();
}

function dateInRow(view: MailboxView, uid: number): number {
  const row = JSON.parse(view.rows.json(uid, ['envelope', 'internalDate'], '[]')) as {
    envelope: Envelope;
    internalDate: string;
  };
  return sentAt(row.envelope, row.internalDate);
}
