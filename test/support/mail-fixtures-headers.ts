import iconv from 'iconv-lite';
import { lines } from './mail.js';
import { fixtures, withHeaders } from './mail-fixture.js';

const b = (octets: Buffer) => `=?UTF-8?B?${octets.toString('base64')}?=`;

/** Octets of a text whose one attachment has these headers. */
function attached(contentType: string, disposition: string | Buffer, head: Array<string | Buffer> = []): Buffer {
  return lines(
    ...head,
    'Date: Mon, 06 May 2024 07:08:09 +0000',
    'MIME-Version: 1.0',
    'Content-Type: multipart/mixed; boundary=b1',
    '',
    '--b1',
    'Content-Type: text/plain; charset=utf-8',
    '',
    'See the file.',
    '--b1',
    `Content-Type: ${contentType}`,
    'Content-Transfer-Encoding: base64',
    disposition,
    '',
    'AAEC',
    '--b1--',
  );
}

export const headerFixtures = fixtures({
  /** RFC 2047, B and Q: the sender in ISO-8859-1, the subject in UTF-8 with quoted ASCII left alone. */
  encodedWords: {
    raw: () =>
      withHeaders(
        'From: =?ISO-8859-1?Q?J=F6rg_M=FCller?= <joerg@example.com>',
        'Subject: Re: =?utf-8?b?R3LDvMOfZSBhdXMgS8O2bG4=?= (2024)',
      ),
    expected: { subject: 'Re: Grüße aus Köln (2024)', fromName: 'Jörg Müller', fromAddress: 'joerg@example.com' },
  },

  /** A three-octet letter lies half in one encoded word and half in the next: joined before decoding it is whole. */
  splitCharacter: {
    raw: () => {
      const octets = Buffer.from('日本語の件名');
      return withHeaders(
        `From: ${b(Buffer.from('山田'))} <yamada@example.com>`,
        `Subject: ${b(octets.subarray(0, 7))}\r\n ${b(octets.subarray(7))}`,
      );
    },
    expected: { subject: '日本語の件名', fromName: '山田', fromAddress: 'yamada@example.com' },
  },

  /** Blanks between adjacent encoded words vanish, folded or not and in whatever charsets; others stay. */
  adjacentWords: {
    raw: () =>
      withHeaders(
        'From: =?UTF-8?Q?Ann?= =?UTF-8?Q?a_?=\r\n =?ISO-8859-1?Q?Ren=E9e?= <anna@example.com>',
        'Subject: =?UTF-8?Q?one?=   =?UTF-8?Q?_two?=\r\n\t=?windows-1251?B?LPLw6A==?= four =?UTF-8?Q?five?=',
      ),
    expected: { subject: 'one two,три four five', fromName: 'Anna Renée', fromAddress: 'anna@example.com' },
  },

  /** ISO-2022-JP, which goes back to ASCII at the end of each word. */
  japaneseSubject: {
    raw: () =>
      withHeaders(
        'From: =?ISO-2022-JP?B?GyRCOzNFRBsoQg==?= <yamada@example.com>',
        'Subject: =?ISO-2022-JP?B?GyRCRnxLXDhsGyhC?=',
      ),
    expected: { subject: '日本語', fromName: '山田', fromAddress: 'yamada@example.com' },
  },

  /** Encoded words in a quoted file name: forbidden, and what many programs write. */
  encodedFilename: {
    raw: () =>
      attached(
        'application/pdf;\r\n name="=?UTF-8?B?w5xiZXJzaWNodC5wZGY=?="',
        'Content-Disposition: attachment;\r\n filename="=?UTF-8?Q?=C3=9Cber?=\r\n =?UTF-8?Q?sicht.pdf?="',
        ['From: a@example.com', 'Subject: File'],
      ),
    expected: {
      text: 'See the file.',
      attachments: [{ filename: 'Übersicht.pdf', contentType: 'application/pdf', size: 3 }],
    },
  },

  /** RFC 2231 with charset, language and continuations, of which one is not encoded. */
  continuedFilename: {
    raw: () =>
      attached(
        'text/csv',
        "Content-Disposition: attachment;\r\n filename*0*=UTF-8'en'%E2%82%AC%20and%20;\r\n filename*1*=%C2%A3;\r\n" +
          ' filename*2=" rates.csv"',
        ['From: a@example.com', 'Subject: File'],
      ),
    expected: { attachments: [{ filename: '€ and £ rates.csv', contentType: 'text/csv', size: 3 }] },
  },

  /** RFC 2231 without continuation, beside a plain `filename` for old readers: the extended one counts. */
  extendedFilename: {
    raw: () =>
      attached(
        'text/plain',
        'Content-Disposition: attachment; filename="rates.txt";\r\n filename*=iso-8859-1\'en\'%A3%20rates.txt',
        ['From: a@example.com', 'Subject: File'],
      ),
    expected: { attachments: [{ filename: '£ rates.txt', contentType: 'text/plain', size: 3 }] },
  },

  /** Raw UTF-8 in the header, with no encoding at all (RFC 6532, or carelessness): read as UTF-8. */
  rawUtf8Headers: {
    raw: () =>
      attached('text/plain', 'Content-Disposition: attachment; filename="отчёт.txt"', [
        'From: "Иван Петров" <ivan@example.com>',
        'Subject: Привет, мир',
      ]),
    expected: {
      subject: 'Привет, мир',
      fromName: 'Иван Петров',
      fromAddress: 'ivan@example.com',
      attachments: [{ filename: 'отчёт.txt', contentType: 'text/plain', size: 3 }],
    },
  },

  /** Raw windows-1251 in the header; only the body's charset tells which. */
  rawWindows1251Headers: {
    raw: () =>
      withHeaders(
        iconv.encode('From: "Иван" <ivan@example.com>', 'windows-1251'),
        iconv.encode('Subject: Счёт No 5', 'windows-1251'),
        'Content-Type: text/plain; charset=windows-1251',
      ),
    expected: { subject: 'Счёт No 5', fromName: 'Иван', fromAddress: 'ivan@example.com', lossy: true },
  },

  /** Two From lines: one sender or the other, but the list must not break. */
  twoFromLines: {
    raw: () => withHeaders('From: First <first@example.com>', 'From: Second <second@example.com>', 'Subject: Two'),
    expected: { subject: 'Two' },
  },

  /** No From. */
  noFrom: {
    raw: () => withHeaders('Subject: Nobody'),
    expected: { subject: 'Nobody', fromName: null, fromAddress: null },
  },

  /** A group in place of a sender, and an address that is none: no sender's address, and no failure. */
  groupAndNonsense: {
    raw: () => withHeaders('From: undisclosed-recipients:;', 'To: @@,, <>, "', 'Subject: Group'),
    expected: { subject: 'Group' },
  },
});
