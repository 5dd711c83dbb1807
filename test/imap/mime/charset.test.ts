import fc from 'fast-check';
import iconv from 'iconv-lite';
import { describe, expect, it } from 'vitest';
import { decodeCharset, knowsCharset } from '../../../src/imap/mime/charset.js';
import { isOfIconv, platformName } from '../../../src/imap/mime/charset-names.js';
import { parseHeaders } from '../../../src/imap/mime/raw-headers.js';
import { decodeUtf7 } from '../../../src/imap/mime/utf7.js';

const octets = (text: string) => Buffer.from(text, 'latin1');
const decoded = (text: string, charset: string) => decodeCharset(octets(text), charset);

describe('charsets of seven bits that shift', () => {
  it.each([
    ['escapes side by side', 'iso-2022-jp', 'abc \x1b$B%F\x1b(B\x1b$B%9%H\x1b(B def', 'abc テスト def'],
    ['an escape that changes nothing', 'iso-2022-jp', '\x1b(B\x1b$B%F\x1b$B%9\x1b(B\x1b(B!', 'テス!'],
    ['JIS C 6226 and JIS X 0201', 'iso-2022-jp', '\x1b$@%F\x1b(J!', 'テ!'],
    ['half-width katakana by escape', 'iso-2022-jp', '\x1b(I1\x1b(B', 'ｱ'],
    ['half-width katakana by SO and by eight bits', 'cp50222', '\x0e1\x0f \xb1', 'ｱ ｱ'],
    ['JIS X 0212', 'iso-2022-jp-1', '\x1b$(D0!\x1b(B', '丂'],
    ['characters of NEC', 'iso-2022-jp-ms', '\x1b$B-!\x1b(B', '①'],
    ['a line that ends within a shift', 'iso-2022-jp', '\x1b$B%F\r\nplain', 'テ\r\nplain'],
    ['Korean', 'iso-2022-kr', '\x1b$)C\x0e>H3g\x0f hi', '안녕 hi'],
    ['Chinese', 'iso-2022-cn', '\x1b$)A\x0eVPND\x0f hi', '中文 hi'],
    ['HZ', 'hz-gb-2312', 'a ~{VPND~} ~~ b~\nc', 'a 中文 ~ bc'],
  ])('%s', (_name, charset, raw, text) => {
    expect(decoded(raw, charset)).toEqual({ text, problem: false });
  });

  it('lose one character to a bad octet, and nothing else', () => {
    expect(decoded('\x1b$B%F%\xff%9%H\x1b(B ok', 'iso-2022-jp')).toEqual({ text: 'テ�スト ok', problem: true });
    expect(decoded('ok \xff ok', 'iso-2022-jp')).toEqual({ text: 'ok � ok', problem: true });
    expect(decoded('\x1b$)C\x0e>H\xff3g\x0f hi', 'iso-2022-kr')).toEqual({ text: '안�녕 hi', problem: true });
  });

  it('are UTF-8 where nothing shifts and all of it is UTF-8', () => {
    expect(decodeCharset(Buffer.from('Grüße'), 'iso-2022-jp')).toEqual({ text: 'Grüße', problem: true });
  });

  it('leave out what is cut in the middle', () => {
    const whole = octets('\x1b$B$3$s$K$A$O\x1b(B');
    for (let length = 0; length <= whole.length; length += 1) {
      const { text, problem } = decodeCharset(whole.subarray(0, length), 'iso-2022-jp', true);
      expect('こんにちは'.startsWith(text)).toBe(true);
      expect(problem).toBe(false);
    }
  });

  it('take whatever comes, and keep the ASCII in it', () => {
    const charset = fc.constantFrom('iso-2022-jp', 'iso-2022-jp-ms', 'iso-2022-kr', 'iso-2022-cn', 'hz-gb-2312');
    const pieces = fc.array(
      fc.oneof(
        fc.uint8Array({ maxLength: 5 }).map((bytes) => Buffer.from(bytes)),
        fc
          .constantFrom('\x1b$B', '\x1b(B', '\x1b$(D', '\x1b(I', '\x1b$)C', '\x0e', '\x0f', '~{', '~}', '\n')
          .map(octets),
      ),
    );
    fc.assert(
      fc.property(charset, pieces, (name, parts) => {
        const { text } = decodeCharset(Buffer.concat([...parts, octets('\n plain')]), name);
        expect(text.endsWith(' plain')).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('charsets that the platform does not know by their name', () => {
  it.each([
    ['x-mac-ce', 'io4=', 'äé'],
    ['x-mac-greek', '4eI=', 'αβ'],
    ['x-mac-turkish', '3d8=', 'ış'],
    ['x-mac-roman', 'io4=', 'äé'],
    ['x-mac-romania', 'r78=', 'Şş'],
  ])('%s', (charset, base64, text) => {
    expect(decodeCharset(Buffer.from(base64, 'base64'), charset)).toEqual({ text, problem: false });
  });

  it('are a problem where nothing knows them', () => {
    expect(decodeCharset(Buffer.from('io4=', 'base64'), 'x-mac-hebrew').problem).toBe(true);
    expect(decodeCharset(Buffer.from('plain'), 'hex')).toEqual({ text: 'plain', problem: true });
  });
});

describe('UTF-16', () => {
  it.each([
    ['a mark of big endian', 'utf-16', '/v8AaABp'],
    ['a mark of little endian', 'utf-16', '//5oAGkA'],
    ['a mark that contradicts the name', 'utf-16le', '/v8AaABp'],
    ['no mark, big endian by name', 'utf-16be', 'AGgAaQ=='],
    ['no mark, little endian by its looks', 'utf-16', 'aABpAA=='],
    ['no mark, big endian by its looks', 'utf-16', 'AGgAaQ=='],
  ])('with %s', (_name, charset, base64) => {
    expect(decodeCharset(Buffer.from(base64, 'base64'), charset)).toEqual({ text: 'hi', problem: false });
  });
});

describe('UTF-7', () => {
  it('is read as it is written', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 30 }), (text) => {
        const problem = text.includes('\uFFFD');
        expect(decodeUtf7(iconv.encode(text, 'utf-7'))).toEqual({ text: text.replace(/^\uFEFF/, ''), problem });
      }),
      { numRuns: 2000 },
    );
  });

  it.each([
    ['+', '+'],
    ['+-', '+'],
    ['a+-+-b', 'a++b'],
    ['+AOQ', 'ä'],
    ['+AOQ-x', 'äx'],
    ['+AOQ x', 'ä x'],
    ['+A', ''],
    ['+2D3eAA-', '\u{1f600}'],
  ])('%s is %s', (raw, text) => {
    expect(decoded(raw, 'utf-7')).toEqual({ text, problem: false });
  });

  it('of half characters and of eight bits has a problem', () => {
    expect(decoded('+2D0-x', 'utf-7')).toEqual({ text: '\uFFFDx', problem: true });
    expect(decoded('\xff', 'utf-7')).toEqual({ text: '\uFFFD', problem: true });
  });
});

describe('names of charsets', () => {
  it.each([
    'utf-8',
    'UTF8',
    'iso_8859-1:1987',
    'ks_c_5601-1987',
    'x-cp1251',
    'iso-ir-100',
    'cp850',
    'utf-7',
    'x-mac-ce',
  ])('such as %s are known', (name) => {
    expect(knowsCharset(name)).toBe(true);
  });

  it('are those of TextDecoder and of iconv-lite', () => {
    const numbers = Array.from({ length: 1400 }, (_, number) => number);
    const prefixes = ['cp', 'windows-', 'iso-8859-', 'ibm', 'latin', 'l', 'utf-', 'x-', 'koi8-'];
    for (const label of numbers.flatMap((number) => prefixes.map((prefix) => `${prefix}${number}`))) {
      expect(isOfIconv(label), label).toBe(iconv.encodingExists(label));
      // A later Node may know more of them: these are left to iconv-lite.
      const left = isOfIconv(label) ? ofPlatform(label) : undefined;
      expect(platformName(label) ?? left, label).toBe(ofPlatform(label));
    }
    expect(isOfIconv('base64')).toBe(false);
    expect(isOfIconv('constructor')).toBe(false);
  });
});

function ofPlatform(label: string): string | undefined {
  try {
    return new TextDecoder(label).encoding;
  } catch {
    return undefined;
  }
}

it.each(['constructor', '__proto__', 'tostring', 'x-', '-', '', ' ', '"', 'utf-8\0', 'é'])(
  'a charset by the odd name of %j is a guess, and no failure',
  (name) => {
    expect(decoded('a\xe4', name).text).toBe('aä');
    expect(decodeCharset(Buffer.from('ä'), name).text).toBe('ä');
  },
);

describe('mail of nothing but shifts and odd names', () => {
  const MIB = 1024 * 1024;
  it.each<[string, () => unknown]>([
    ['escapes', () => decoded('\x1b(B'.repeat(MIB / 3), 'iso-2022-jp')],
    ['broken escapes', () => decoded('\x1b'.repeat(MIB), 'iso-2022-jp')],
    ['Korean escapes', () => decoded('\x1b'.repeat(MIB), 'iso-2022-kr')],
    ['shifts of UTF-7', () => decoded('+AAA-'.repeat(MIB / 5), 'utf-7')],
    ['charsets that do not exist', () => parseHeaders(octets(wordsOfOddCharsets(15_000)))],
    ['addresses', () => parseHeaders(octets(`To: =?utf-8?q?a?= ${'\xe4 <x> '.repeat(40_000)}`), 'iso-2022-jp')],
  ])('is read in a fraction of a second: %s', (_what, read) => {
    const times = [1, 2, 3].map(() => {
      const began = process.cpuUsage();
      read();
      const { user, system } = process.cpuUsage(began);
      return (user + system) / 1000;
    });
    expect(Math.min(...times)).toBeLessThan(300);
  });
});

function wordsOfOddCharsets(count: number): string {
  return Array.from({ length: count }, (_, index) => `X${index}: =?cp9${index}x?q?=e4?=\r\n`).join('');
}
