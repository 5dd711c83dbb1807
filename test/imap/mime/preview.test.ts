import iconv from 'iconv-lite';
import { describe, expect, it } from 'vitest';
import { beginningOf, previewOf, previewPart } from '../../../src/imap/mime/preview.js';
import { readable } from '../../../src/imap/mime/structure-readable.js';
import type { Structure } from '../../../src/protocol/models.js';

function leaf(part: string, type: string): Structure {
  const none = { parameters: {}, disposition: null, fileName: null, contentId: null, encoding: null, children: [] };
  return { part, type, encodedSize: 100, decodedSize: 100, ...none };
}

function multipart(part: string, subtype: string, children: Structure[]): Structure {
  return { ...leaf(part, `multipart/${subtype}`), encodedSize: null, decodedSize: null, children };
}

interface Given {
  type?: string;
  encoding?: string | null;
  parameters?: Record<string, string>;
  /** Bytes of the whole part; default: those that are given. */
  size?: number;
  length?: number;
}

function preview(encoded: string | Buffer, given: Given = {}): string | null {
  const bytes = Buffer.from(encoded as string);
  const { type = 'text/plain', encoding = null, parameters = {}, size = bytes.length, length = 4096 } = given;
  const node: Structure = { ...leaf('1', type), encoding, parameters, encodedSize: size };
  return previewOf({ node, length }, bytes);
}

const html = (text: string, given: Given = {}) => preview(text, { ...given, type: 'text/html' });

describe('the beginning of a plain text', () => {
  it.each([
    ['one line', 'Hello', 'Hello'],
    ['lines and blanks', ' Hello,\r\n\r\n\tworld  and\u00a0 all \r\n', 'Hello, world and all'],
    ['nothing', '', null],
    ['blank lines alone', '\r\n \r\n\t\r\n', null],
    ['a NUL and other controls', 'a\0b\x07c', 'a b c'],
    ['rules', '=====\nNews\n-----\n* * *\nof today', 'News of today'],
    ['invisible characters', 'S\u00adale\u034f \u200c\u00a0\u200c\u00a0\u200b\ufeff\u2060now\u2800', 'Sale now'],
    ['joiners between letters', 'می\u200cخواهم 👩\u200d💻', 'می\u200cخواهم 👩\u200d💻'],
    ['marks that turn the direction', 'a\u202eb\u2066c', 'abc'],
    ['variation selectors', '❤\ufe0f you', '❤\ufe0f you'],
  ])('is what a person would read: %s', (_what, text, expected) => {
    expect(preview(text)).toBe(expected);
  });

  it.each([
    ['above', 'Yes.\n\nOn Mon, 3 Jun 2024, Anna <a@example.com> wrote:\n> Shall we?\n> Soon?', 'Yes.'],
    ['below', 'On Mon, 3 Jun 2024, Anna <a@example.com> wrote:\n> Shall we?\n\nYes.', 'Yes.'],
    ['between', '> Shall we?\nYes.\n> Soon?\nNo.', 'Yes. No.'],
    [
      'with a wrapped introduction',
      'Yes.\nOn Mon, 3 Jun 2024 at 10:00, Anna Lindqvist\n<anna@example.com> wrote:\n\n> Shall we?',
      'Yes.',
    ],
    [
      'with a twice wrapped one',
      'Yes.\nOn Mon, 3 Jun 2024 at 10:00, Anna <anna@example.com>\nwrote:\n> Shall we?',
      'Yes.',
    ],
    ['in another language', 'Ja.\nAm 03.06.24 um 10:00 schrieb Anna:\n> Sollen wir?', 'Ja.'],
    ['in a language without a rule', 'Так.\n3 чер. 2024, Анна <a@example.com> пише:\n> Можна?', 'Так.'],
    ['of Outlook', 'Yes.\n\n-----Original Message-----\nFrom: Anna\nShall we?', 'Yes.'],
    ['whose introduction no quote follows', 'Yes.\nOn Mon, 3 Jun 2024, Anna wrote:', 'Yes.'],
    ['and a list before it stays', 'To do:\n> old', 'To do:'],
  ])('leaves quotes out: %s', (_where, text, expected) => {
    expect(preview(text)).toBe(expected);
  });

  it('is null where all is quoted, however long', () => {
    expect(preview('> a\n> b\n')).toBeNull();
    expect(beginningOf('>\n'.repeat(100_000))).toBeNull();
    expect(beginningOf('>'.repeat(100_000))).toBeNull();
    expect(beginningOf(`${'\n'.repeat(100_000)}here`)).toBe('here');
    expect(beginningOf(`a\n${'>\n'.repeat(100_000)}b`)).toBe('a b');
  });

  it('ends at the signature', () => {
    expect(preview('Hello\n-- \nAnna\n')).toBe('Hello');
    expect(preview('-- \nAnna\n')).toBeNull();
    expect(preview('a -- b\n--option')).toBe('a -- b --option');
  });

  it('is null of what PGP has encrypted, and the text of what it has signed', () => {
    expect(preview('-----BEGIN PGP MESSAGE-----\n\nhQEMA\n')).toBeNull();
    const signed = '-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\nHello\n-----BEGIN PGP SIGNATURE-----\niQEz\n';
    expect(preview(signed)).toBe('Hello');
  });

  it('has 200 characters and no half of one', () => {
    expect(preview('x'.repeat(1000))).toBe('x'.repeat(200));
    expect(preview('🐙'.repeat(300))).toBe('🐙'.repeat(200));
    expect(preview(`x${'🐙'.repeat(300)}`)).toBe(`x${'🐙'.repeat(199)}`);
    expect(preview(`${'ж'.repeat(200)}`)).toBe('ж'.repeat(200));
    expect(preview('word '.repeat(100))).toHaveLength(199);
    expect(preview('a\n'.repeat(1000))).toHaveLength(199);
  });

  it('joins flowed lines', () => {
    const parameters = { format: 'flowed', delsp: 'yes' };
    expect(preview('議事 \r\n録です\r\n', { parameters: { ...parameters, charset: 'utf-8' } })).toBe('議事録です');
  });
});

describe('the beginning of what is encoded', () => {
  it.each([0, 1, 2, 3, 4, 5, 6, 7])('in base64, cut %i bytes before the end of its slice', (less) => {
    const whole = Buffer.from('Grüße aus Köln – 議事録 '.repeat(20)).toString('base64');
    const length = 100 - less;
    const given = { encoding: 'base64', parameters: { charset: 'utf-8' }, size: whole.length, length };
    const found = preview(whole.slice(0, length), given) ?? '';
    expect('Grüße aus Köln – 議事録 '.repeat(20).startsWith(found)).toBe(true);
    expect(found.length).toBeGreaterThan(40);
  });

  it.each([0, 1, 2, 3, 4, 5, 6, 7])('in quoted-printable, cut %i bytes before the end of its slice', (less) => {
    const whole = 'Gr=C3=BC=C3=9Fe_'.repeat(20);
    const length = 96 - less;
    const given = { encoding: 'quoted-printable', parameters: { charset: 'utf-8' }, size: whole.length, length };
    const found = preview(whole.slice(0, length), given) ?? '';
    expect('Grüße_'.repeat(20).startsWith(found)).toBe(true);
    expect(found.length).toBeGreaterThan(20);
  });

  it('in ISO-2022-JP, cut within the alphabet and within a character', () => {
    const text = '会議の議事録をお送りします。'.repeat(4);
    const bytes = iconv.encode(text, 'euc-jp');
    const inner = Buffer.from(bytes.map((byte) => byte & 0x7f));
    const whole = Buffer.concat([Buffer.from('\x1b$B'), inner, Buffer.from('\x1b(B')]);
    for (const length of [40, 41, 42, 43]) {
      const found = preview(whole.subarray(0, length), {
        parameters: { charset: 'iso-2022-jp' },
        size: whole.length,
        length,
      });
      expect(text.startsWith(found ?? 'nothing')).toBe(true);
      expect((found ?? '').length).toBeGreaterThan(15);
    }
    expect(preview(whole, { parameters: { charset: 'iso-2022-jp' } })).toBe(text);
  });

  it('in a charset that nothing knows, and in none at all', () => {
    expect(preview('Grüße', { parameters: { charset: 'x-nonsense' } })).toBe('Grüße');
    expect(preview(Buffer.from('Gr\xfc\xdfe', 'latin1'))).toBe('Grüße');
    expect(preview(Buffer.from('Gr\xfc\xdfe', 'latin1'), { parameters: { charset: 'iso-8859-1' } })).toBe('Grüße');
  });

  it('ignores bytes beyond those that were asked for', () => {
    expect(preview('abcdef', { length: 3, size: 100 })).toBe('abc');
  });
});

describe('the beginning of html', () => {
  it.each([
    ['text', '<p>Hello &amp; <b>wel</b>come</p><p>all</p>', 'Hello & welcome all'],
    ['nothing', '', null],
    ['elements without text', '<html><body><img src="x"><br></body></html>', null],
    ['styles and scripts', '<head><title>T</title><style>p{}</style></head><script>1<2</script><p>Hi</p>', 'Hi'],
    ['comments', '<!-- a --><!--[if mso]><p>b</p><![endif]-->c', 'c'],
    ['quotes', '<div>Yes</div><blockquote><p>Shall <blockquote>x</blockquote> we?</p></blockquote>', 'Yes'],
    ['filler', '<div>Sale&zwnj;&nbsp;&zwnj;&nbsp;&#847; &#8199;&shy;</div><p>today</p>', 'Sale today'],
    [
      'an introduction of a quote',
      '<p>Yes</p><div>On Mon, 3 Jun 2024, Anna wrote:<br></div><blockquote>x</blockquote>',
      'Yes',
    ],
  ])('is its text: %s', (_what, text, expected) => {
    expect(html(text)).toBe(expected);
  });

  it.each([
    ['a tag', '<p>Hello</p><a href="https://exam', 'Hello'],
    ['an entity', '<p>Hello</p>&nbs', 'Hello'],
    ['a style', '<style>p { color: red', null],
    ['a comment', 'Hello<!-- abc', 'Hello'],
  ])('ends well where %s is cut', (_what, text, expected) => {
    expect(html(text, { length: text.length, size: 100_000 })).toBe(expected);
  });
});

describe('the part that a preview is made from', () => {
  const chosen = (root: Structure) => previewPart(readable(root))?.node.part;
  const text = (part: string, size = 100) => ({ ...leaf(part, 'text/plain'), encodedSize: size });
  const rich = (part: string, size = 100) => ({ ...leaf(part, 'text/html'), encodedSize: size });

  it('is the first plain text, else the first html', () => {
    expect(chosen(text('1'))).toBe('1');
    expect(chosen(rich('1'))).toBe('1');
    expect(chosen(multipart('', 'alternative', [rich('1'), text('2')]))).toBe('2');
    expect(chosen(multipart('', 'mixed', [multipart('1', 'alternative', [text('1.1', 2), rich('1.2')])]))).toBe('1.2');
    expect(chosen(multipart('', 'mixed', [leaf('1', 'image/png'), text('2', 0), text('3')]))).toBe('3');
  });

  it('is none of encrypted mail, and of mail without a text', () => {
    const sealed = [leaf('1', 'application/pgp-encrypted'), leaf('2', 'application/octet-stream')];
    expect(chosen(multipart('', 'encrypted', sealed))).toBeUndefined();
    expect(chosen(leaf('1', 'application/pkcs7-mime'))).toBeUndefined();
    expect(chosen(leaf('1', 'image/png'))).toBeUndefined();
    expect(chosen(multipart('', 'mixed', []))).toBeUndefined();
  });

  it('is found deep down, and among many', () => {
    let deep: Structure = text('1');
    for (let level = 0; level < 40; level += 1) deep = multipart('1', 'mixed', [deep]);
    expect(chosen(deep)).toBe('1');
    const many = Array.from({ length: 9_999 }, (_, index) => leaf(String(index + 1), 'application/pdf'));
    expect(chosen(multipart('', 'mixed', [...many, text('10000')]))).toBe('10000');
  });
});
