import type { messageListMethods } from '../methods/message-list.js';
import type { messageSearchMethods } from '../methods/message-search.js';
import type { messageThreadsMethods } from '../methods/message-threads.js';
import { type Examples, meta, session } from './example.js';
import { anna, bo, envelope } from './message.js';

const uidValidity = 1_795_934_797;
const state = 'cdce42a41.1795934797.12.40.211.412.9120';
const row = {
  uid: 411,
  envelope,
  flags: ['\\Seen'],
  size: 414_020,
  internalDate: '2026-11-27T08:30:04.000Z',
};
const reply = {
  mailbox: 'Sent',
  uidValidity: 1_795_934_801,
  uid: 88,
  envelope: {
    ...envelope,
    date: '2026-11-27T09:12:00.000Z',
    subject: 'Re: Catalogue, final proof',
    messageId: '<c04e@example.com>',
    inReplyTo: '<9b1c@harbour-books.example>',
    from: [anna],
    sender: [anna],
    replyTo: [anna],
    to: [bo],
  },
};

export const messageListExamples: Examples<keyof typeof messageListMethods> = {
  'message.list': {
    params: {
      session,
      mailbox: 'INBOX',
      filter: { seen: true, from: 'harbour-books' },
      sort: [{ by: 'date', descending: true }],
      limit: 1,
      fields: ['envelope', 'flags', 'size', 'internalDate', 'preview', { headers: ['List-Id'] }],
    },
    result: {
      uidValidity,
      total: 12,
      messages: [{ ...row, preview: 'Dear Anna, the proof is attached.', previewSource: 'broker', headers: [] }],
      nextCursor: 'MTc5NTkzNDc5Ny40MTEuMS4xdGZ6cGkw',
      nextOffset: 1,
      state,
      meta,
    },
  },
};

export const messageSearchExamples: Examples<keyof typeof messageSearchMethods> = {
  'message.search': {
    params: { session, mailboxes: 'all', filter: { text: 'proof' }, limit: 2, fields: ['envelope'] },
    result: {
      total: 2,
      messages: [reply, { mailbox: 'INBOX', uidValidity, uid: 411, envelope }],
      nextCursor: null,
      nextOffset: null,
      incomplete: [],
      searched: 9,
      meta,
    },
  },
};

export const messageThreadsExamples: Examples<keyof typeof messageThreadsMethods> = {
  'message.threads': {
    params: { session, mailbox: 'INBOX', limit: 1, fields: ['flags'] },
    result: {
      uidValidity,
      total: 140,
      threads: [
        {
          tree: { uid: 408, replies: [{ uid: 411, replies: [] }] },
          count: 2,
          unseen: 0,
          newest: '2026-11-27T08:30:00.000Z',
          messages: [
            { uid: 408, flags: ['\\Seen'] },
            { uid: 411, flags: ['\\Seen'] },
          ],
          more: false,
        },
      ],
      nextOffset: 1,
      nextCursor: 'MTc5NTkzNDc5Ny40MTEuMS5rM2Y5',
      threadedBy: 'server',
      state,
      meta,
    },
  },
  'message.thread': {
    params: { session, mailbox: 'INBOX', uidValidity, uid: 411, fields: ['envelope'] },
    result: {
      messages: [{ mailbox: 'INBOX', uidValidity, uid: 411, envelope }, reply],
      more: false,
      incomplete: [],
      by: 'headers',
      meta,
    },
  },
};
