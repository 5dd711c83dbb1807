import { expect, it } from 'vitest';
import type { ImapConnection } from '../../src/imap/connection/connection.js';
import type { SelectedMailbox } from '../../src/imap/connection/selected-mailbox.js';
import { MailboxView } from '../../src/view/mailbox-view.js';

const connection = { unfollow: () => {} } as unknown as ImapConnection;

const selected = (exists: number, highestModseq?: bigint): SelectedMailbox => ({
  path: 'INBOX',
  uidValidity: 1,
  mailboxId: undefined,
  exists,
  uidNext: exists + 1,
  readOnly: false,
  permanentFlags: undefined,
  highestModseq,
});

it('a view that is placed again keeps of the flags that it is told those of messages that it knows', () => {
  const view = new MailboxView();
  view.startPlacing(connection);
  view.begin(selected(4, 9n));
  const tell = (uid: number) => view.onFlags({ seq: uid, uid, flags: ['\\Seen'], modseq: 10n });
  view.members.addOlder([{ uid: 4, flags: [] }]);
  view.expectOpened([2]);
  tell(2);
  const { flags } = view.startPlacing(connection);
  for (const uid of [1, 2, 3, 4, 5]) tell(uid);
  expect([...flags.keys()]).toEqual([2, 4]);
});

it('flags of a message that was gone before its uid was known are given to no other message', () => {
  const view = new MailboxView();
  view.startPlacing(connection);
  view.begin(selected(1));
  view.members.addOlder([{ uid: 1, flags: [] }]);
  // Another client appends a message and reads it; the connection ends before the message is fetched.
  view.onExists(2);
  view.onFlags({ seq: 2, uid: undefined, flags: ['\\Seen'], modseq: undefined });
  view.onLost();
  // Until the next connection is there the message is expunged, and another one arrives.
  view.startPlacing(connection);
  view.resume(selected(2), { removed: [], flags: new Map(), added: [{ uid: 3, flags: [] }] });
  expect(view.members.uids).toEqual([1, 3]);
  expect(view.flagsOf(3)).toBe('[]');
});
