import type { Step } from './case.js';
import { INBOX, list } from './cases/checks.js';

/** Requests that between them send most commands and read most responses. */
export const everyRequest: readonly Step[] = [
  list,
  { method: 'message.get', params: { ...INBOX, uids: [1, 2, 3], headers: true } },
  { method: 'message.search', params: { mailboxes: ['INBOX', 'Work'], filter: { subject: 'x' } } },
  { method: 'message.flag', params: { ...INBOX, uids: [1, 2], action: 'add', flags: ['\\Flagged'] } },
  { method: 'message.copy', params: { ...INBOX, uids: [1, 2], destination: 'Archive' } },
  { method: 'mailbox.status', params: { mailboxes: ['INBOX', 'Archive'] } },
  {
    method: 'message.list',
    params: { mailbox: 'Archive', fields: ['envelope', 'flags', 'size', 'internalDate', 'hasAttachment', 'preview'] },
  },
  {
    method: 'message.list',
    params: {
      mailbox: 'Archive',
      fields: ['attachments', 'structure', 'emailId', 'threadId', 'labels', { headers: ['References', 'List-Id'] }],
    },
  },
  { method: 'mailbox.list', params: { counts: true } },
  { method: 'message.threads', params: { mailbox: 'INBOX' } },
  { method: 'message.thread', params: { ...INBOX, uid: 1, mailboxes: ['INBOX', 'Archive'] } },
  { method: 'message.move', params: { ...INBOX, uids: [3], destination: 'Archive' } },
  { method: 'message.append', params: { mailbox: 'INBOX', data: 'U3ViamVjdDogYQ0KDQphDQo=' } },
  { method: 'mailbox.list', params: { facts: true } },
  { method: 'mailbox.info', params: { mailbox: 'INBOX' } },
  { method: 'quota.get' },
];
