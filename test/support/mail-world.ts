import iconv from 'iconv-lite';
import { lines } from './mail.js';

/** What is shown of a message, as far as it matters in the case at hand. */
export interface Shown {
  subject?: string;
  from?: string;
  to?: string;
  date?: string | null;
  /** Texts of the bodies, a part each; pictures between them by their type. */
  text?: string[];
  html?: string[];
  /** Files with their roles. */
  files?: Record<string, string>;
}

interface WorldMail {
  raw: Buffer;
  shown: Shown;
}

const head = [
  'From: Ida <ida@example.org>',
  'To: Ole <ole@example.org>',
  'Date: Tue, 2 Jan 2024 03:04:05 +0000',
  'Message-ID: <w@example.org>',
  'MIME-Version: 1.0',
];

/** A message of one text with these header lines in place of, or beside, the usual ones. */
function headed(...more: Array<string | Buffer>): Buffer {
  const names = more.map((line) => line.toString('latin1').split(':')[0]);
  return lines(...head.filter((line) => !names.includes(line.split(':')[0])), ...more, '', 'text');
}

/** A message whose body has this type. */
function bodied(type: string, ...body: Array<string | Buffer>): Buffer {
  return lines(...head, 'Subject: s', `Content-Type: ${type}`, ...body);
}

/** A multipart of parts, each a list of lines. */
function multipart(subtype: string, ...parts: Array<Array<string | Buffer>>): Buffer {
  return bodied(`multipart/${subtype}; boundary=zz`, '', ...parts.flatMap((part) => ['--zz', ...part]), '--zz--');
}

const plain = (text: string, more = '') => [`Content-Type: text/plain; charset=utf-8${more}`, '', text];
const html = (text: string, more = '') => [`Content-Type: text/html; charset=utf-8${more}`, '', text];
const file = (type: string, ...more: string[]) => [
  `Content-Type: ${type}`,
  ...more,
  'Content-Transfer-Encoding: base64',
  '',
  'AAEC',
];
const attached = 'Content-Disposition: attachment; filename=f.pdf';
const jis = (text: string) => Buffer.from(text, 'latin1');

/** Mail as it is found: what standards forbid and readers show, and what could be used to deceive. */
export const worldMails = {
  wordsInDomain: {
    raw: headed('From: Chef <chef@=?utf-8?Q?bank.example?=>'),
    shown: { from: 'Chef <chef@=?utf-8?Q?bank.example?=>' },
  },
  wordsForMailbox: {
    raw: headed('From: =?utf-8?Q?chef=40bank.example=00?=@evil.example'),
    shown: { from: ' <=?utf-8?Q?chef=40bank.example=00?=@evil.example>' },
  },
  quotedMailbox: {
    raw: headed('From: "chef@bank.example"@evil.example'),
    shown: { from: ' <"chef@bank.example"@evil.example>' },
  },
  controlsInName: {
    raw: headed('From: =?utf-8?Q?Chef=00=07der_Bank?= <x@evil.example>'),
    shown: { from: 'Chef der Bank <x@evil.example>' },
  },
  localUser: { raw: headed('From: "Nightly job" <operator>'), shown: { from: 'Nightly job <operator>' } },
  unreadableAddress: {
    raw: headed('To: <Hidden:@mail.example;>'),
    shown: { to: 'Hidden <>' },
  },
  group: {
    raw: headed('To: =?utf-8?Q?B=C3=BCro?=: a@example.org, B <b@example.org>;'),
    shown: { to: 'Büro <>,  <a@example.org>, B <b@example.org>' },
  },
  japaneseWords: {
    raw: headed('Subject: =?ISO-2022-JP?B?GyRCRnxLXBsoQg==?=\r\n =?ISO-2022-JP?B?GyRCOGwbKEI=?='),
    shown: { subject: '日本語' },
  },
  rawLettersInWord: { raw: headed('Subject: =?UTF-8?Q?Grüße_aus_K=C3=B6ln?='), shown: { subject: 'Grüße aus Köln' } },
  rawCyrillic: {
    raw: lines(
      ...head,
      iconv.encode('Subject: Привет', 'koi8-r'),
      'Content-Type: multipart/mixed; boundary=zz',
      '',
      '--zz',
      'Content-Type: text/plain; charset=koi8-r',
      '',
      iconv.encode('Текст', 'koi8-r'),
      '--zz',
      Buffer.concat([
        Buffer.from('Content-Type: application/pdf; name="'),
        iconv.encode('Счёт.pdf', 'koi8-r'),
        Buffer.from('"'),
      ]),
      'Content-Disposition: attachment',
      '',
      'x',
      '--zz--',
    ),
    shown: { subject: 'Привет', text: ['Текст'], files: { 'Счёт.pdf': 'attachment' } },
  },
  zoneWithColon: { raw: headed('Date: Tue, 2 Jan 2024 03:04:05 +05:30'), shown: { date: '2024-01-01T21:34:05.000Z' } },
  zoneBehindName: {
    raw: headed('Date: Tue, 2 Jan 2024 03:04:05 GMT-0300'),
    shown: { date: '2024-01-02T06:04:05.000Z' },
  },
  commentsInDate: {
    raw: headed('Date: Tue (Tuesday (or so)), 2 Jan 2024 03 : 04(x) : 05 +0000'),
    shown: { date: '2024-01-02T03:04:05.000Z' },
  },
  yearOfThreeDigits: {
    raw: headed('Date: Sun, 2 Jan 100 03:04:05 +0000'),
    shown: { date: '2000-01-02T03:04:05.000Z' },
  },
  japaneseBody: {
    raw: bodied('text/plain; charset=iso-2022-jp', '', jis('\x1b$BF|\x1b(B\x1b$BK\\\x1b(B!')),
    shown: { text: ['日本!'] },
  },
  damagedJapaneseBody: {
    raw: bodied('text/plain; charset=iso-2022-jp', '', jis('\x1b$BF|\xffK\\\x1b(B!')),
    shown: { text: ['日�本!'] },
  },
  koreanBody: {
    raw: bodied('text/plain; charset=iso-2022-kr', '', jis('\x1b$)C\r\n\x0e>H3g\x0f!')),
    shown: { text: ['\n안녕!'] },
  },
  hzBody: { raw: bodied('text/plain; charset=hz-gb-2312', '', '~{VPND~}!'), shown: { text: ['中文!'] } },
  macBody: {
    raw: bodied('text/plain; charset=x-mac-ce', 'Content-Transfer-Encoding: base64', '', 'iuSO'),
    shown: { text: ['äšé'] },
  },
  utf16Body: {
    raw: bodied('text/plain; charset=utf-16', 'Content-Transfer-Encoding: base64', '', '/v8A5ABi'),
    shown: { text: ['äb'] },
  },
  footerBehindBase64: {
    raw: bodied(
      'text/plain; charset=utf-8',
      'Content-Transfer-Encoding: base64',
      '',
      'w5bDpCE=',
      '_______________________',
      'mailing list',
    ),
    shown: { text: ['Öä!\n_______________________\nmailing list'] },
  },
  emptyLastAlternative: {
    raw: multipart('alternative', plain('short'), html('<p>rich'), ['Content-Type: text/html', '', '']),
    shown: { text: ['short'], html: ['<p>rich'], files: {} },
  },
  namedAlternatives: {
    raw: multipart('alternative', plain('short', '; name=a.txt'), html('<p>rich', '; name=a.html')),
    shown: { text: ['short'], html: ['<p>rich'], files: {} },
  },
  firstTextWithName: {
    raw: multipart('mixed', plain('the text', '; name=body.txt'), file('application/pdf', attached)),
    shown: { text: ['the text'], html: ['the text'], files: { 'f.pdf': 'attachment' } },
  },
  footerInHtml: {
    raw: multipart('mixed', plain('the text'), html('<p>footer')),
    shown: { text: ['the text', '<p>footer'], html: ['the text', '<p>footer'] },
  },
  pictureBetweenTexts: {
    raw: multipart('mixed', plain('above'), file('image/png', 'Content-Disposition: inline'), plain('below')),
    shown: { text: ['above', 'image/png', 'below'], files: { '2': 'inline' } },
  },
  contentIdWithPercent: {
    raw: multipart('mixed', html('<img src="CID:a%25b%40x">'), file('image/png', 'Content-ID: <a%b@x>', attached)),
    shown: { files: { 'f.pdf': 'inline' } },
  },
  contentIdPrefix: {
    raw: multipart('mixed', html('<img src="cid:pic10">'), file('application/pdf', 'Content-ID: <pic1>', attached)),
    shown: { files: { 'f.pdf': 'attachment' } },
  },
  contentIdWithEntity: {
    raw: multipart('mixed', html('<img src="cid:a&amp;b@x">'), file('image/png', 'Content-ID: <a&b@x>', attached)),
    shown: { files: { 'f.pdf': 'inline' } },
  },
  japaneseFileName: {
    raw: multipart(
      'mixed',
      plain('text'),
      file(
        'application/pdf',
        "Content-Disposition: attachment;\r\n filename*0*=iso-2022-jp''%1B%24BF%7C%1B%28B;\r\n filename*1*=%1B%24BK%5C%1B%28B.pdf",
      ),
    ),
    shown: { files: { '日本.pdf': 'attachment' } },
  },
  uuencoded: {
    raw: multipart('mixed', plain('text'), [
      'Content-Type: application/octet-stream; name=f.pdf',
      'Content-Transfer-Encoding: x-uuencode',
      attached,
      '',
      'begin 644 f.pdf',
      '#0V%T',
      '`',
      'end',
    ]),
    shown: { text: ['text'], files: { 'f.pdf': 'attachment' } },
  },
  signed: {
    raw: multipart('signed', plain('text'), file('application/pkcs7-signature; name=smime.p7s')),
    shown: { text: ['text'], files: { 'smime.p7s': 'signature' } },
  },
  invitation: {
    raw: multipart('alternative', plain('come'), html('<p>come'), [
      'Content-Type: text/calendar; method=REQUEST; charset=utf-8',
      '',
      'BEGIN:VCALENDAR',
    ]),
    shown: { text: ['come'], html: ['<p>come'], files: { '3': 'calendar' } },
  },
  amp: {
    raw: multipart(
      'alternative',
      plain('short'),
      ['Content-Type: text/x-amp-html', '', '<html amp4email>'],
      html('<p>rich'),
    ),
    shown: { text: ['short'], html: ['<p>rich'], files: { '2': 'alternative' } },
  },
} satisfies Record<string, WorldMail>;
