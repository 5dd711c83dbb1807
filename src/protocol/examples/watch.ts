import type { watchMethods } from '../methods/watch.js';
import { type Examples, session } from './example.js';

const begun = {
  topic: 'OLghNBaGESGOh0PPxrgfGg',
  epoch: 'a9a65cf7d4759c8f',
  seq: 118,
  mailboxes: [
    { mailbox: 'INBOX', uidValidity: 1_795_934_797, lagMs: 1_000, state: 'cdce42a41.1795934797.0.2.40.91.177' },
  ],
  folders: false,
};

export const watchExamples: Examples<keyof typeof watchMethods> = {
  'watch.start': { params: { session, mailboxes: ['INBOX'], fields: ['envelope', 'flags', 'preview'] }, result: begun },
  'watch.stop': { params: { session, mailboxes: ['Sent'] }, result: { mailboxes: ['INBOX'] } },
  'events.resume': {
    params: { session, epoch: 'a9a65cf7d4759c8f', after: 112, mailboxes: ['INBOX'] },
    result: { ...begun, missing: [], replayed: 6, resync: false },
  },
};
