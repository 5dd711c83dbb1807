import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseHeaders } from '../../../src/imap/mime/raw-headers.js';

const block = (...lines: string[]) => Buffer.from(lines.join('\r\n'), 'latin1');
const utf8 = (text: string) => Buffer.from(text).toString('latin1');

describe('header lines', () => {
  it('are those with a name of printable ASCII', () => {
    const found = parseHeaders(
      block('From x@example.org Mon May  6 07:08:09 2024', '>From x: y', 'Subject : s', ': none', 'N\xe4me: n', 'X: '),
    );
    expect(found).toEqual([
      { name: 'Subject', value: 's' },
      { name: 'X', value: '' },
    ]);
  });

  it('keep the letters at their ends', () => {
    expect(parseHeaders(block(`A: ${utf8('voilà')}`, `B:\t${utf8('à la')} \t`))).toEqual([
      { name: 'A', value: 'voilà' },
      { name: 'B', value: 'à la' },
    ]);
  });

  it('are read in the charset of the message, where they are no UTF-8', () => {
    const header = block('Subject: \xc4\xe3\xba\xc3', `X: ${utf8('ä')}`, 'Content-Type: multipart/mixed; boundary=b');
    expect(parseHeaders(header, 'gbk').slice(0, 2)).toEqual([
      { name: 'Subject', value: '你好' },
      { name: 'X', value: 'ä' },
    ]);
    expect(parseHeaders(block('Subject: \xd1\xf7', 'Content-Type: text/plain; charset="koi8-r"'))[0]?.value).toBe('яВ');
  });

  it.each([
    ['From', 'Chef <chef@=?utf-8?Q?bank.example?=>', 'Chef <chef@=?utf-8?Q?bank.example?=>'],
    ['From', 'Chef <chef@\r\n =?utf-8?Q?bank.example?=>', 'Chef <chef@ =?utf-8?Q?bank.example?=>'],
    ['From', '=?utf-8?Q?=C3=84?= < =?utf-8?Q?chef=40bank?= >', 'Ä < =?utf-8?Q?chef=40bank?= >'],
    ['To', '=?utf-8?Q?chef=40bank?=@evil.example', '=?utf-8?Q?chef=40bank?=@evil.example'],
    ['Cc', '=?utf-8?Q?=C3=84?= =?utf-8?Q?nn?=<a@x>, =?utf-8?Q?B=C3=BCro?=: b@x;', 'Änn<a@x>, Büro: b@x;'],
    ['Reply-To', `a@x (=?utf-8?Q?=C3=84nn?=), ${utf8('Jörg')} <j@x>`, 'a@x (Änn), Jörg <j@x>'],
    ['Message-ID', '<=?utf-8?Q?a?=@x>', '<=?utf-8?Q?a?=@x>'],
    ['Subject', 'a@=?utf-8?Q?b?=', 'a@b'],
  ])('decode no address: %s: %s', (name, written, value) => {
    expect(parseHeaders(block(`${name}: ${written}`))).toEqual([{ name, value }]);
  });

  it('are taken from whatever stands before a body', () => {
    const piece = fc.oneof(
      fc.constantFrom(
        'From: ',
        'Subject:',
        '\r\n',
        '\r\n ',
        '<',
        '@',
        '=?utf-8?Q?=00?=',
        'Content-Type: text/plain; charset=gbk',
        ' ',
      ),
      fc.string(),
    );
    fc.assert(
      fc.property(fc.array(piece), fc.uint8Array(), (parts, bytes) => {
        for (const { name } of parseHeaders(Buffer.concat([Buffer.from(parts.join('')), Buffer.from(bytes)]))) {
          expect(name).toMatch(/^[!-9;-~]+$/);
        }
      }),
      { numRuns: 1000 },
    );
  });
});
