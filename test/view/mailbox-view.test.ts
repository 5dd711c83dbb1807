import { expect, it } from 'vitest';
import type { ImapConnection } from '../../src/imap/connection/connection.js';
import { MailboxView } from '../../src/view/mailbox-view.js';

it('a view that is placed again keeps of the flags that it is told those of messages that it knows', () => {
  const connection = { unfollow: () => {} } as unknown as ImapConnection;
  const view = new MailboxView();
  view.startPlacing(connection);
  view.begin({
    path: 'INBOX',
    uidValidity: 1,
    mailboxId: undefined,
    exists: 4,
    uidNext: 5,
    readOnly: false,
    permanentFlags: undefined,
    highestModseq: 9n,
  });
  const tell = (uid: number) => view.onFlags({ seq: uid, uid, flags: ['\\Seen'], modseq: 10n });
  view.members.learnBelow([{ uid: 4, flags: [] }]);
  view.expectOpened([2]);
  tell(2);
  const { flags } = view.startPlacing(connection);
  for (const uid of [1, 2, 3, 4, 5]) tell(uid);
  expect([...flags.keys()]).toEqual([2, 4]);
});
