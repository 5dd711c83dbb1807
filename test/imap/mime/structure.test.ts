import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bodyCharset, partOf, readStructure } from '../../../src/imap/mime/structure.js';
import { hasAttachment } from '../../../src/imap/mime/structure-readable.js';
import type { ImapAttribute } from '../../../src/imap/wire/tokens.js';
import { type Structure, structure } from '../../../src/protocol/models.js';

type Short = null | string | number | Buffer | Short[];
/** A BODYSTRUCTURE, with strings and numbers for tokens. */
function tokens(short: Short): ImapAttribute {
  if (short === null) return null;
  if (Array.isArray(short)) return short.map(tokens);
  if (Buffer.isBuffer(short)) return { type: 'LITERAL', value: short };
  return typeof short === 'number' ? { type: 'ATOM', value: String(short) } : { type: 'STRING', value: short };
}

const leaf = (type: string, subtype: string, more: { parameters?: Short; encoding?: string; size?: number } = {}) =>
  tokens([type, subtype, more.parameters ?? null, null, null, more.encoding ?? '7bit', more.size ?? 5, 1]);
const text = leaf('text', 'plain');
const mixed = (...parts: ImapAttribute[]): ImapAttribute => [
  ...parts,
  ...(tokens(['mixed', null, null, null]) as ImapAttribute[]),
];

describe('a multipart without parts', () => {
  it.each<[string, Short]>([
    ['an empty list', [[], 'mixed', ['boundary', 'b'], null, null]],
    ['NIL', [null, 'mixed', ['boundary', 'b'], null, null]],
    ['nothing', ['mixed', ['boundary', 'b'], null, null]],
    ['its type', ['multipart', 'mixed', ['boundary', 'b'], null, null, '7bit', 0, null, null]],
    ['its type alone', ['multipart', 'mixed', ['boundary', 'b'], null, null]],
  ])('is one where the server words it with %s', (_name, short) => {
    const { root } = readStructure(tokens(short));
    expect(root).toMatchObject({ part: '', type: 'multipart/mixed', parameters: { boundary: 'b' }, children: [] });
    expect(root.encodedSize).toBeNull();
    expect(hasAttachment(root)).toBe(false);
    const outer = readStructure(mixed(tokens(short), text)).root;
    expect(outer.children.map(({ part, type }) => [part, type])).toEqual([
      ['1', 'multipart/mixed'],
      ['2', 'text/plain'],
    ]);
  });

  it('is none where a part has no type', () => {
    expect(readStructure(tokens([null, null, null, null, null, '7bit', 5, 1])).root.type).toBe('text/plain');
    expect(readStructure(tokens(['text', null, null, null, null, '7bit', 5, 1])).root.type).toBe('text/plain');
  });
});

describe('sizes', () => {
  it('are exact after decoding where nothing is decoded', () => {
    const { root } = readStructure(
      mixed(
        leaf('text', 'plain', { encoding: '8BIT', size: 7 }),
        leaf('image', 'png', { encoding: 'BASE64', size: 8 }),
        leaf('a', 'b', { encoding: 'x-uuencode', size: 9 }),
        leaf('a', 'b', { encoding: 'x-own', size: 10 }),
      ),
    );
    expect(root.children.map(({ encodedSize, decodedSize }) => [encodedSize, decodedSize])).toEqual([
      [7, 7],
      [8, null],
      [9, null],
      [10, 10],
    ]);
  });
});

describe('parameters', () => {
  const named = (parameters: Short, charset = 'us-ascii') =>
    readStructure(mixed(leaf('text', 'plain', { parameters: ['charset', charset] }), leaf('a', 'pdf', { parameters })))
      .root.children[1]?.fileName;

  it('are raw octets of the charset that the text is in', () => {
    expect(named(['name', Buffer.from('\xc4\xe3\xba\xc3.pdf', 'latin1')], 'gbk')).toBe('你好.pdf');
    expect(named(['name', Buffer.from('ä.pdf')], 'gbk')).toBe('ä.pdf');
    expect(
      named(['name*0', Buffer.from('\xc4\xe3', 'latin1'), 'name*1', Buffer.from('\xba\xc3', 'latin1')], 'gbk'),
    ).toBe('你好');
  });

  it('are joined before they are decoded, with escapes side by side', () => {
    expect(named(['name*0*', "iso-2022-jp''%1B%24B%25F%259%1B%28B", 'name*1*', '%1B%24B%25H%1B%28B.pdf'])).toBe(
      'テスト.pdf',
    );
  });

  it('have no control characters as file names', () => {
    expect(named(['name', 'a\u0000b\r\n.pdf'])).toBe('a b .pdf');
  });

  it('cost the same each, however many there are', () => {
    const segments = Array.from({ length: 60_000 }, (_, at) => [`name*${at % 10_000}*`, 'aaaa']).flat();
    const began = performance.now();
    expect(named(segments)).toMatch(/^a{4000}$/);
    // It was 25 seconds.
    expect(performance.now() - began).toBeLessThan(2000);
  });
});

describe('a structure of many parts', () => {
  it('is told as far as a reader may need it, and says so', () => {
    const { root, truncated } = readStructure(mixed(...Array.from({ length: 5000 }, () => text)));
    expect(truncated).toBe(true);
    expect(root.children).toHaveLength(999);
    expect(partOf(mixed(...Array.from({ length: 5000 }, () => text)), '4321')).toMatchObject({ part: '4321' });
  });

  it('is told to a depth', () => {
    let deep: ImapAttribute = text;
    for (let level = 0; level < 300; level += 1) deep = mixed(deep);
    expect(readStructure(deep).truncated).toBe(true);
    expect(readStructure(mixed(text)).truncated).toBe(false);
    expect(bodyCharset(deep)).toBeNull();
  });
});

describe('whatever a server answers', () => {
  const attribute = fc.letrec<{ node: Short }>((tie) => ({
    node: fc.oneof(
      { maxDepth: 6 },
      fc.constantFrom<Short>(
        null,
        'text',
        'plain',
        'message',
        'rfc822',
        'multipart',
        'mixed',
        'alternative',
        'name*0*',
        'charset',
        'base64',
      ),
      fc.nat(),
      fc.string(),
      fc.uint8Array().map((bytes): Short => Buffer.from(bytes)),
      fc.array(tie('node'), { maxLength: 9 }),
    ),
  })).node;

  it('has a shape of the protocol, and each part can be found by its number', () => {
    fc.assert(
      fc.property(attribute, (short) => {
        const { root } = readStructure(tokens(short));
        structure.parse(JSON.parse(JSON.stringify(root)));
        hasAttachment(root);
        const check = (node: Structure) => {
          const { children: _, ...own } = node;
          if (!node.type.startsWith('multipart/')) expect(partOf(tokens(short), node.part)).toMatchObject(own);
          for (const child of node.children) check(child);
        };
        check(root);
      }),
      { numRuns: 2000 },
    );
  });
});
