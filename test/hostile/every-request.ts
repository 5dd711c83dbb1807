import type { Step } from './case.js';
import { INBOX, list } from './cases/checks.js';

const part = { ...INBOX, uid: 1, transfer: 'inline' };

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
  { method: 'message.get', params: { ...INBOX, uids: [2, 3], headers: ['Subject', 'List-Id'], markSeen: true } },
  {
    method: 'message.get',
    params: { ...INBOX, uids: [1], part: '2', headers: ['Subject'], markSeen: true },
    ends: ['NOT_FOUND'],
  },
  {
    method: 'message.get',
    params: { ...INBOX, uids: [1], part: '1', headers: true },
    ends: ['INVALID_PARAMS'],
  },
  { method: 'message.part', params: { ...part, part: '1' } },
  { method: 'message.part', params: { ...part, part: '1', as: 'text' } },
  { method: 'message.part', params: { ...part, part: '1', offset: 3, length: 5 } },
  { method: 'message.part', params: { ...part, part: '1', encoded: true } },
  { method: 'message.part', params: { ...part, part: '1.MIME' } },
  { method: 'message.part', params: { ...part, part: 'HEADER' } },
  { method: 'message.part', params: { ...part, part: 'TEXT', offset: 2 } },
  { method: 'message.source', params: { ...INBOX, uid: 1, transfer: 'inline' } },
  {
    method: 'message.label',
    params: { ...INBOX, uids: [1, 2], add: ['Work'], remove: ['\\Important'] },
    ends: ['result', 'UNSUPPORTED'],
  },
  { method: 'mailbox.acl', params: { mailbox: 'INBOX' }, ends: ['result', 'UNSUPPORTED'] },
  {
    method: 'mailbox.metadata',
    params: { mailbox: 'INBOX', entries: ['/shared/comment', '/private/comment'] },
    ends: ['result', 'UNSUPPORTED'],
  },
];
