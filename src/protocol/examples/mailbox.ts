import type { mailboxMethods } from '../methods/mailbox.js';
import { type Examples, meta, session } from './example.js';

const uidValidity = 1_795_934_797;
const state = 'cdce42a41.1795934797.12.40.211.412.9120';
const counts = { messages: 211, unseen: 3, uidNext: 412, uidValidity, size: 18_220_114 };
const facts = { rights: 'lrwstipekxa', mailboxId: null, highestModseq: '9120', appendLimit: null, noInferiors: false };

export const mailboxExamples: Examples<keyof typeof mailboxMethods> = {
  'mailbox.list': {
    params: { session, counts: true },
    result: {
      mailboxes: [
        {
          name: 'INBOX',
          parent: null,
          leaf: 'INBOX',
          delimiter: '/',
          specialUse: 'inbox',
          specialUseSource: 'server',
          subscribed: true,
          selectable: true,
          hasChildren: false,
          attributes: ['\\HasNoChildren'],
          counts,
          facts: null,
        },
        {
          name: 'Clients/Müller',
          parent: 'Clients',
          leaf: 'Müller',
          delimiter: '/',
          specialUse: null,
          specialUseSource: null,
          subscribed: true,
          selectable: true,
          hasChildren: false,
          attributes: ['\\HasNoChildren'],
          counts: { ...counts, messages: 41, unseen: 0 },
          facts: null,
        },
      ],
      state: '5f2c9a01d4',
      meta,
    },
  },
  'mailbox.status': {
    params: { session, mailboxes: ['INBOX', 'Gone'], ifState: '00c4e19b77' },
    result: {
      statuses: [
        { mailbox: 'INBOX', counts },
        { mailbox: 'Gone', counts: null },
      ],
      state: '91aa02c3f8',
      meta,
    },
  },
  'mailbox.info': {
    params: { session, mailbox: 'INBOX' },
    result: {
      mailbox: 'INBOX',
      uidValidity,
      uidNext: 412,
      messages: 211,
      unseen: 3,
      size: 18_220_114,
      readOnly: false,
      flags: ['\\Answered', '\\Flagged', '\\Deleted', '\\Seen', '\\Draft', '$Forwarded'],
      permanentFlags: ['\\Answered', '\\Flagged', '\\Deleted', '\\Seen', '\\Draft', '$Forwarded', '\\*'],
      keywordsAllowed: true,
      specialUse: 'inbox',
      attributes: ['\\HasNoChildren'],
      ...facts,
      meta,
    },
  },
  'mailbox.acl': {
    params: { session, mailbox: 'Shared/Team' },
    result: {
      entries: [
        { identifier: 'anna', rights: 'lrwstipekxa' },
        { identifier: 'bo', rights: 'lrs' },
      ],
      meta,
    },
  },
  'mailbox.metadata': {
    params: { session, mailbox: null, entries: ['/shared/admin', '/shared/comment'] },
    result: {
      entries: [
        { entry: '/shared/admin', value: 'mailto:admin@example.com' },
        { entry: '/shared/comment', value: null },
      ],
      meta,
    },
  },
  'mailbox.changes': {
    params: { session, mailbox: 'INBOX', since: 'cdce42a41.1795934797.9.37.210.411.9107' },
    result: {
      complete: true,
      reset: false,
      unknown: [],
      uidValidity,
      state,
      total: 211,
      added: [411],
      changed: [{ uid: 408, flags: ['\\Seen', '\\Answered'] }],
      removed: [],
      meta: { ...meta, source: 'validated' },
    },
  },
  'mailbox.create': {
    params: { session, mailbox: 'Clients/Müller' },
    result: { mailbox: 'Clients/Müller', created: true },
  },
  'mailbox.rename': {
    params: { session, mailbox: 'Clients/Müller', newName: 'Archive/Müller' },
    result: { mailbox: 'Archive/Müller' },
  },
  'mailbox.delete': { params: { session, mailbox: 'Archive/Müller' }, result: { mailbox: 'Archive/Müller' } },
  'mailbox.subscribe': { params: { session, mailbox: 'INBOX' }, result: { mailbox: 'INBOX' } },
  'mailbox.unsubscribe': { params: { session, mailbox: 'Junk' }, result: { mailbox: 'Junk' } },
};
