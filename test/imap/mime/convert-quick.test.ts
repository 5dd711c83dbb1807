import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeCharset } from '../../../src/imap/mime/charset.js';
import { toIso } from '../../../src/imap/mime/convert-date.js';
import { isAmbiguous, toHeaderText } from '../../../src/imap/mime/header-text.js';

const twoDigits = (max: number) => fc.nat({ max }).map((value) => String(value).padStart(2, '0'));

describe('a date of the usual form', () => {
  const dates = fc
    .record({
      weekday: fc.constantFrom('', 'Mon, ', 'Sun, ', 'Xyz, ', ' ', '6, '),
      day: fc.oneof(
        twoDigits(32),
        fc.nat({ max: 32 }).map((day) => String(day)),
      ),
      month: fc.constantFrom('Jan', 'Feb', 'May', 'Dec', 'feb', 'Foo', 'June'),
      separator: fc.constantFrom(' ', '-'),
      year: fc.oneof(
        fc.integer({ min: 1960, max: 2040 }).map((year) => String(year)),
        fc.constantFrom('2024', '0001', '9998', '9999', '24', '20244'),
      ),
      clock: fc.tuple(twoDigits(24), twoDigits(60), twoDigits(61)).map((parts) => parts.join(':')),
      zone: fc.constantFrom('+0000', '-0830', '+1400', 'GMT', '+9999', '0000', '+00000', ''),
      end: fc.constantFrom('', ' (CEST)', ' (a(b)', '(x)', ' x'),
    })
    .map(({ weekday, day, month, separator, year, clock, zone, end }) => {
      return `${weekday}${day}${separator}${month}${separator}${year} ${clock} ${zone}${end}`;
    });

  it('is read quickly as it is read thoroughly', () => {
    // Blanks at the end say nothing, and are not usual.
    fc.assert(
      fc.property(dates, (date) => {
        expect(toIso(date), date).toBe(toIso(`${date}  `));
      }),
      { numRuns: 5000 },
    );
  });

  it.each([
    ['Mon, 06 May 2024 07:08:09 +0000', '2024-05-06T07:08:09.000Z'],
    [' 6-May-2024 07:08:09 -0130', '2024-05-06T08:38:09.000Z'],
    ['31 Dec 2023 23:59:59 -0100 (CVT)', '2024-01-01T00:59:59.000Z'],
    ['Thu, 29 Feb 2024 00:00:00 +0000', '2024-02-29T00:00:00.000Z'],
    ['Wed, 29 Feb 2023 00:00:00 +0000', null],
    ['Mon, 6 May 2024 07:08:09 +02:00', '2024-05-06T05:08:09.000Z'],
    ['Mon, 6 May 2024 07:08:09 GMT+0200', '2024-05-06T05:08:09.000Z'],
    ['Mon May 06 2024 07:08:09 GMT+0200 (Central European Summer Time)', '2024-05-06T05:08:09.000Z'],
    ['Mon, 6 May 2024 07:08:09 UTC+2:00', '2024-05-06T05:08:09.000Z'],
    ['Mon, 6 May 2024 07:08:09 EST', '2024-05-06T12:08:09.000Z'],
    ['Mon, 6 May 2024 07:08:09 GMT', '2024-05-06T07:08:09.000Z'],
    [
      'Thu,\r\n      13\r\n        Feb\r\n          1969\r\n      23:32\r\n               -0330 (Newfoundland Time)',
      '1969-02-14T03:02:00.000Z',
    ],
    ['Fri, 21 Nov 1997 09(comment):   55  :  06 -0600', '1997-11-21T15:55:06.000Z'],
    ['Fri, 21 (a (nested \\) one)) Nov 1997 09:55:06 -0600', '1997-11-21T15:55:06.000Z'],
    ['21(x)Nov 1997 09:55:06 -0600', '1997-11-21T15:55:06.000Z'],
    ['21 Nov 97 09:55:06 GMT', '1997-11-21T09:55:06.000Z'],
    ['Fri, 6 May 105 07:08:09 +0000', '2005-05-06T07:08:09.000Z'],
    ['Mon May  6 07:08:09 GMT+0200 2024', '2024-05-06T05:08:09.000Z'],
    ['2024-05-06T07:08:09+02:00', '2024-05-06T05:08:09.000Z'],
  ])('%s', (date, iso) => {
    expect(toIso(date)).toBe(iso);
  });

  it('costs little, however long what is no date is', () => {
    const blanks = ' '.repeat(100_000);
    for (const text of ['('.repeat(100_000), ':'.repeat(100_000), blanks, `6 May${blanks}2024`, '1'.repeat(100_000)]) {
      expect(toIso(text)).toBeNull();
    }
  });
});

describe('header text', () => {
  it('is the same whether the server quotes it or sends its octets', () => {
    const words = fc.constantFrom('=?utf-8?Q?=C3=A4_b?=', '=?ISO-8859-1?B?5A==?=', '\r\n ', '\n', 'ä', '\uFEFF', ' ');
    fc.assert(
      fc.property(fc.array(fc.oneof(words, fc.string({ unit: 'grapheme' }))), (parts) => {
        const value = parts.join('');
        const octets = Buffer.from(value);
        expect(toHeaderText({ type: 'STRING', value })).toBe(toHeaderText({ type: 'LITERAL', value: octets }));
      }),
    );
  });

  it('is a guess where its octets are no UTF-8', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (octets) => {
        const value = Buffer.from(octets);
        const { problem } = decodeCharset(value, 'utf-8');
        expect(isAmbiguous([{ type: 'LITERAL', value }])).toBe(problem);
      }),
    );
  });
});

describe('octets of ASCII', () => {
  it.each(['', 'utf-8', 'UTF8', 'us-ascii', 'iso-8859-1', 'windows-1252'])('are what they are in %s', (charset) => {
    const every = Buffer.from(Array.from({ length: 128 }, (_, code) => code));
    expect(decodeCharset(every, charset)).toEqual({ text: every.toString('latin1'), problem: false });
  });

  it('are no text as they are in a charset that shifts', () => {
    expect(decodeCharset(Buffer.from('\x1b$B%F\x1b(B'), 'iso-2022-jp').text).toBe('テ');
    expect(decodeCharset(Buffer.from('+AOQ-'), 'utf-7').text).toBe('ä');
  });
});
