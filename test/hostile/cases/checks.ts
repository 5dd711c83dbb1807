import assert from 'node:assert/strict';
import type { StepOf } from '../case.js';

/** A row of a list, or a message of message.get, as far as these checks look at it. */
export interface SeenRow {
  uid: number;
  envelope?: { subject: string } | undefined;
  flags?: string[] | undefined;
  size?: number | undefined;
  hasAttachment?: boolean | undefined;
  unreadable?: string[] | undefined;
}

/** The folder by which most cases ask for messages. */
export const INBOX = { mailbox: 'INBOX', uidValidity: 1 };

/** A page of the index. */
export const list = listWith({});

/** A page of the index, asked for or looked at in another way. */
export function listWith(other: Partial<StepOf<'message.list'>>): StepOf<'message.list'> {
  return { method: 'message.list', params: { mailbox: 'INBOX' }, ...other };
}

/** Rows for all of these uids, each once. */
export function haveUids(rows: readonly SeenRow[], uids: readonly number[]): void {
  assert.deepEqual(
    rows.map(({ uid }) => uid).sort((a, b) => a - b),
    uids,
  );
}

/** Only the messages of these uids are unreadable, in this member; the others are whole. */
export function onlyUnreadable(rows: readonly SeenRow[], member: string, uids: readonly number[]): void {
  for (const row of rows) {
    if (uids.includes(row.uid)) assert.ok(row.unreadable?.includes(member), `uid ${row.uid} is not marked: ${member}`);
    else {
      assert.equal(row.unreadable, undefined, `uid ${row.uid} is marked, and could be read`);
      assert.equal(row.envelope?.subject, `Message ${row.uid}`);
    }
  }
}

/** Each row has the member, or says that it could not be read; of what is too large it may have the beginning and say so. */
export function toldOrUnreadable(rows: readonly SeenRow[], member: keyof SeenRow): void {
  for (const row of rows) {
    const marked = row.unreadable?.includes(member) ?? false;
    assert.ok(row[member] !== undefined || marked, `uid ${row.uid}: ${member} is neither there nor marked`);
  }
}

export function upTo(last: number): number[] {
  return Array.from({ length: last }, (_, index) => index + 1);
}
