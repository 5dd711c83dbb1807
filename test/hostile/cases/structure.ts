import assert from 'node:assert/strict';
import { octets } from '../../support/hostile-bytes.js';
import { envelopeOf, textPart } from '../../support/hostile-mailbox.js';
import { type HostileCase, lazily } from '../case.js';
import { haveUids, INBOX, type SeenRow, toldOrUnreadable, upTo } from './checks.js';

/** What servers answer for a mail of 70 KB with 9,999 empty parts: 760 KB. */
const emptyParts = lazily(() => {
  const part = textPart('PLAIN', 0, '("CHARSET" "ISO-8859-1")');
  return octets(`(${part.repeat(9_999)} "MIXED" ("BOUNDARY" "x") NIL NIL NIL)`);
});
const htmlParts = lazily(() => `(${textPart('HTML', 10).repeat(4_000)} "MIXED" ("BOUNDARY" "x") NIL NIL NIL)`);
/** Parameters in segments (RFC 2231 section 3). */
const segments = lazily(() => {
  const names = upTo(60_000).map((number) => `"NAME*${number - 1}" "x"`);
  return textPart('PLAIN', 10, `("CHARSET" "UTF-8" ${names.join(' ')})`);
});
const nested = lazily(() => '('.repeat(1_000_000));
/** In Latin-1, as mail from before MIME has it: the charset of the body, or else a guess, tells how it is read. */
const rawSubject = () => envelopeOf({ subject: '{5}\r\nGr\xfc\xdfe' });

const manyParts = (exists: number) => ({
  exists,
  items: { BODYSTRUCTURE: emptyParts, ENVELOPE: rawSubject },
});

function allGreet({ messages }: { messages: SeenRow[] }): void {
  for (const { uid, envelope } of messages) assert.equal(envelope?.subject, 'Grüße', `uid ${uid}`);
}

/** Mail whose MIME tree is the attack. */
export const structureCases: readonly HostileCase[] = [
  {
    name: 'parts-list-40',
    about: '40 mails of 9,999 empty parts with a raw 8-bit subject, listed',
    server: manyParts(40),
    steps: [
      {
        method: 'message.list',
        params: { mailbox: 'INBOX', limit: 40 },
        result: (page) => {
          haveUids(page.messages, upTo(40));
          allGreet(page);
        },
      },
    ],
  },
  {
    name: 'parts-list-200',
    about: '200 such mails, listed',
    server: manyParts(200),
    steps: [
      {
        method: 'message.list',
        params: { mailbox: 'INBOX', limit: 200 },
        timeoutMs: 60_000,
        result: (page) => {
          haveUids(page.messages, upTo(200));
          allGreet(page);
        },
      },
    ],
  },
  {
    name: 'parts-attachment',
    about: '40 such mails with a plain subject, listed with hasAttachment',
    server: { exists: 40, items: { BODYSTRUCTURE: emptyParts } },
    steps: [
      {
        method: 'message.list',
        params: { mailbox: 'INBOX', limit: 40, fields: ['envelope', 'hasAttachment'] },
        result: ({ messages }) => {
          haveUids(messages, upTo(40));
          toldOrUnreadable(messages, 'hasAttachment');
        },
      },
    ],
  },
  {
    name: 'parts-get',
    about: 'three such mails, opened',
    server: manyParts(3),
    steps: [
      {
        method: 'message.get',
        params: { ...INBOX, uids: [1, 2, 3] },
        result: (page) => {
          haveUids(page.messages, [1, 2, 3]);
          allGreet(page);
        },
      },
    ],
  },
  {
    name: 'html-parts-get',
    about: 'a mail of 4,000 text/html parts, opened',
    server: { items: { BODYSTRUCTURE: htmlParts } },
    steps: [
      {
        method: 'message.get',
        params: { ...INBOX, uids: [2] },
        result: ({ messages: [message] }) => {
          assert.ok(message?.truncated, 'nothing says that not all of it is there');
        },
      },
    ],
  },
  {
    name: 'structure-nested',
    about: 'a BODYSTRUCTURE of a million opened parentheses',
    server: { row: (uid) => (uid === 2 ? `* 2 FETCH (UID 2 BODYSTRUCTURE ${nested()}\r\n` : undefined) },
    steps: [
      {
        method: 'message.list',
        params: { mailbox: 'INBOX', fields: ['hasAttachment'] },
        result: ({ messages }) => {
          haveUids(messages, [1, 2, 3]);
          toldOrUnreadable(messages, 'hasAttachment');
        },
      },
    ],
  },
  {
    name: 'parameter-segments',
    about: 'a parameter of 60,000 segments (RFC 2231), listed and opened',
    server: { items: { BODYSTRUCTURE: segments } },
    steps: [
      {
        method: 'message.list',
        params: { mailbox: 'INBOX', fields: ['hasAttachment'] },
        result: ({ messages }) => toldOrUnreadable(messages, 'hasAttachment'),
      },
      {
        method: 'message.get',
        params: { ...INBOX, uids: [1, 2, 3] },
        result: ({ messages }) => haveUids(messages, [1, 2, 3]),
      },
    ],
  },
];
