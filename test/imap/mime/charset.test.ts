import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeCharset } from '../../../src/imap/mime/charset.js';

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
