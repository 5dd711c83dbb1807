import { describe, expect, it } from 'vitest';
import { decodeTexts, encodedBound, textsWanted } from '../../../src/imap/mime/open-text.js';
import type { Structure } from '../../../src/protocol/models.js';
import { base64Lines } from '../../support/mail.js';

function text(encoded: Buffer, charset: string, encoding: string | null = 'base64', part = '1'): Structure {
  return {
    part,
    type: 'text/plain',
    parameters: { charset },
    disposition: null,
    fileName: null,
    contentId: null,
    encoding,
    encodedSize: encoded.length,
    decodedSize: null,
    children: [],
  };
}

function shown(encoded: string | Buffer, charset = 'utf-8') {
  const bytes = Buffer.from(encoded);
  return decodeTexts([[text(bytes, charset)]], 1000, () => bytes).get('1');
}

describe('a text in base64', () => {
  const footer = '_______________________________________________\r\nList mailing list\r\nlist@example.org';

  it.each([
    ['behind its padding', 'Grüße ös!\n'],
    ['behind no padding', 'Grüße, ös!!\n'],
  ])('keeps its charset and the footer that a mailing list wrote %s', (_name, body) => {
    expect(shown(`${Buffer.from(body).toString('base64')}\r\n${footer}`)).toMatchObject({
      content: expect.stringContaining(body.trim()),
      charsetProblem: false,
    });
    expect(shown(`${base64Lines(body)}\r\n${footer}`)?.content).toContain('List mailing list\nlist@example.org');
  });

  it('keeps one in another charset', () => {
    const body = Buffer.from([0xd0, 0xd2, 0xc9, 0xd7, 0xc5, 0xd4, 0x0a]).toString('base64');
    expect(shown(`${body}\r\n-- \r\nplain footer`, 'koi8-r')).toMatchObject({
      content: expect.stringMatching(/^привет\n.*plain footer$/s),
      charsetProblem: false,
    });
  });

  it('goes on behind its padding where that is base64', () => {
    const joined = `${Buffer.from('one').toString('base64')}\r\n${Buffer.from('more').toString('base64')}\r\n${base64Lines('end')}`;
    expect(shown(joined)?.content).toBe('onemoreend');
  });

  it('passes over characters that are none', () => {
    expect(shown('SGVs!!bG8\r\ns*\r\n\r\nIHd vcm~xk\r\nLCBnb29kYnllIQ')?.content).toBe('Hello, world, goodbye!');
  });
});

describe('a text in an encoding that is not known', () => {
  // Names that every object of JavaScript has a member of.
  it.each(['x-unknown', 'constructor', '__proto__'])('is shown as it was sent: %s', (encoding) => {
    const bytes = Buffer.from('as it was sent');
    const bodies = [[text(bytes, 'utf-8', encoding)]];
    expect(textsWanted(bodies, 1000).map(({ node, maxBytes }) => encodedBound(node, maxBytes))).toEqual([1004]);
    expect(decodeTexts(bodies, 1000, () => bytes).get('1')).toMatchObject({
      content: 'as it was sent',
      truncated: false,
    });
  });
});

describe('texts of one message', () => {
  it('are fetched as far as they can be shown, however many there are', () => {
    const nodes = Array.from({ length: 4000 }, (_, at) => text(Buffer.alloc(3000), 'utf-8', 'base64', String(at + 1)));
    const wanted = textsWanted([nodes, nodes], 10_000);
    expect(wanted.map(({ maxBytes }) => maxBytes)).toEqual([10_000, 8000, 6000, 4000, 2000]);
    expect(textsWanted([nodes], 100_000_000)).toHaveLength(100);
    expect(textsWanted([[], []], 10)).toEqual([]);
  });

  it('share the bound of the body that they are in', () => {
    const bytes = Buffer.from('x'.repeat(8));
    const nodes = ['1', '2', '3'].map((part) => text(bytes, 'utf-8', null, part));
    const [a, b, c] = nodes as [Structure, Structure, Structure];
    const contents = decodeTexts(
      [
        [a, b],
        [a, c],
      ],
      10,
      () => bytes,
    );
    expect([...contents].map(([part, { content, truncated }]) => [part, content.length, truncated])).toEqual([
      ['1', 8, false],
      ['2', 2, true],
      ['3', 2, true],
    ]);
  });
});
