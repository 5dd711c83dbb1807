import { describe, expect, it } from 'vitest';
import { decodeWords } from '../../../src/imap/mime/encoded-words.js';
import { decodeHeaderText } from '../../../src/imap/mime/header-text.js';

describe('encoded words', () => {
  it.each([
    [
      'of a charset that shifts, each with its escapes',
      '=?ISO-2022-JP?B?GyRCJUYlOSVIGyhC?= =?ISO-2022-JP?B?GyRCJUYlOSVIGyhC?=',
      'テストテスト',
    ],
    ['whose raw letters should have been encoded', '=?UTF-8?Q?日本_ok_=C3=A4?=', '日本 ok ä'],
    ['whose raw letters are in no charset of theirs', '=?ISO-8859-1?Q?日=E4?=', '日ä'],
    ['with blanks in them', '=?utf-8?Q?Hello ?= =?utf-8?Q?W=C3=B6rld,\tyou?=', 'Hello Wörld, you'],
    ['with blanks between raw letters', '=?utf-8?Q?à é ü?=', 'à é ü'],
    ['of which one is damaged', '=?utf-8?B?5pel?= =?utf-8?B?/w==?= =?utf-8?Q?=E6=9C=AC?=', '日ÿ本'],
    ['that share a character', '=?utf-8?B?5pc=?= =?utf-8?B?pQ==?=', '日'],
    ['of several charsets', '=?utf-8?Q?=C3=A4?= =?iso-8859-1?Q?=E4?= and', 'ää and'],
    ['of an unknown charset', '=?x-klingon?Q?plain?=', 'plain'],
  ])('%s', (_name, words, text) => {
    expect(decodeWords(words)).toBe(text);
  });

  it('are as they were written where there are more of them than any header has', () => {
    const words = '=?utf-8?Q?=C3=A4?= '.repeat(1001);
    expect(decodeWords(words)).toBe(`${'ä'.repeat(1000)} =?utf-8?Q?=C3=A4?= `);
  });

  it.each([
    ['many of them', '=?utf-8?Q?a?= '.repeat(20_000)],
    ['many that are damaged, of an unknown charset', '=?x-klingon?Q?=ff?= '.repeat(50_000)],
    ['raw letters in many of them', `=?gbk?Q?${'ä=ff'.repeat(100)}?= `.repeat(2000)],
    ['beginnings alone', '=?'.repeat(200_000)],
    ['none that ends', '=?utf-8?Q?'.repeat(50_000)],
    ['blanks', `${' '.repeat(200_000)}\r\n`],
    ['raw letters between escapes', `=?latin1?Q?${'ä='.repeat(100_000)}?=`],
  ])('are read in time that grows with their length alone: %s', (_name, text) => {
    const began = performance.now();
    decodeHeaderText(Buffer.from(text));
    // Quadratic time would be minutes.
    expect(performance.now() - began).toBeLessThan(2000);
  });
});

describe('folded text', () => {
  it.each([
    ['a\r\n b', 'a b'],
    ['a \r\n\t \r\n b\n', 'a b '],
    ['\r\na', ' a'],
    ['=?utf-8?Q?a=0D=0A_b?=', 'a b'],
  ])('%j', (folded, text) => {
    expect(decodeHeaderText(Buffer.from(folded))).toBe(text);
  });
});
