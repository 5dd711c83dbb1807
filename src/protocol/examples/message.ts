import type { messageReadMethods } from '../methods/message-read.js';
import type { messageWriteMethods } from '../methods/message-write.js';
import { type Examples, meta, session } from './example.js';

const uidValidity = 1_795_934_797;
const folder = { session, mailbox: 'INBOX', uidValidity };
export const anna = { name: 'Anna Lindqvist', address: 'anna@example.com' };
export const bo = { name: 'Bo Sørensen', address: 'bo@harbour-books.example' };

export const envelope = {
  date: '2026-11-27T08:30:00.000Z',
  subject: 'Catalogue, final proof',
  messageId: '<9b1c@harbour-books.example>',
  inReplyTo: null,
  from: [bo],
  sender: [bo],
  replyTo: [bo],
  to: [anna],
  cc: [],
  bcc: [],
};

const leaf = { disposition: null, fileName: null, contentId: null, decodedSize: null, children: [] };
const text = {
  part: '1',
  type: 'text/plain',
  content: 'Dear Anna,\nthe proof is attached.\n',
  truncated: false,
  charset: 'utf-8',
  charsetProblem: false,
};
const pdf = {
  part: '2',
  type: 'application/pdf',
  fileName: 'Übersicht.pdf',
  encodedSize: 412_300,
  decodedSize: null,
  contentId: null,
};

export const messageReadExamples: Examples<keyof typeof messageReadMethods> = {
  'message.get': {
    params: { ...folder, uids: [411], headers: ['List-Id'], markSeen: true },
    result: {
      messages: [
        {
          uid: 411,
          flags: ['\\Seen'],
          envelope,
          size: 414_020,
          internalDate: '2026-11-27T08:30:04.000Z',
          headers: [],
          structure: {
            ...leaf,
            part: '',
            type: 'multipart/mixed',
            parameters: { boundary: 'b1' },
            encoding: null,
            encodedSize: null,
            children: [
              {
                ...leaf,
                part: '1',
                type: 'text/plain',
                parameters: { charset: 'utf-8' },
                encoding: 'quoted-printable',
                encodedSize: 38,
              },
              {
                ...leaf,
                part: '2',
                type: 'application/pdf',
                parameters: {},
                disposition: 'attachment',
                fileName: 'Übersicht.pdf',
                encoding: 'base64',
                encodedSize: 412_300,
              },
            ],
          },
          textBody: [text],
          htmlBody: [text],
          attachments: [{ ...pdf, role: 'attachment', message: null }],
          truncated: false,
        },
      ],
      notFound: [],
      meta,
    },
  },
  'message.part': {
    params: { ...folder, uid: 411, part: '2' },
    result: {
      type: 'application/pdf',
      parameters: {},
      fileName: 'Übersicht.pdf',
      contentId: null,
      encodedSize: 412_300,
      decodedSize: null,
      stream: 2,
      data: null,
    },
  },
  'message.source': {
    params: { ...folder, uid: 411, length: 12, transfer: 'inline' },
    result: { size: 414_020, stream: null, data: 'UmV0dXJuLVBhdGg6' },
  },
};

const moved = {
  destination: 'Archive',
  destinationUidValidity: 1_795_934_802,
  uids: [{ source: 411, destination: 17 }],
  notFound: [],
};

export const messageWriteExamples: Examples<keyof typeof messageWriteMethods> = {
  'message.flag': {
    params: { ...folder, uids: [411], action: 'add', flags: ['\\Flagged'] },
    result: { messages: [{ uid: 411, flags: ['\\Seen', '\\Flagged'] }], notFound: [] },
  },
  'message.label': {
    params: { ...folder, uids: [411], add: ['Clients'], remove: ['\\Important'] },
    result: { messages: [{ uid: 411, labels: ['Clients', '\\Starred'] }], notFound: [] },
  },
  'message.copy': { params: { ...folder, uids: [411], destination: 'Archive' }, result: moved },
  'message.move': {
    params: { ...folder, uids: [411], destination: 'Archive', idempotencyKey: 'click-7f3a' },
    result: moved,
  },
  'message.delete': { params: { ...folder, uids: [411, 999] }, result: { deleted: [411], notFound: [999] } },
  'message.append': {
    params: { session, mailbox: 'Drafts', data: 'U3ViamVjdDogSGkNCg0KSGVsbG8=', flags: ['\\Draft'] },
    result: { mailbox: 'Drafts', uidValidity: 1_795_934_803, uid: 5 },
  },
};
