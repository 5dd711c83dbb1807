import fc from 'fast-check';
import { expect, it } from 'vitest';
import { decodeTransfer, transferDecoder } from '../../../src/imap/mime/transfer/transfer-decoder.js';

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

/** RFC 2045 section 6.8, as simply as can be: what is no digit says nothing, and padding begins anew. */
function expected(text: string): Buffer {
  const blocks = text.split('=').map((block) => {
    const digits = [...block].filter((one) => alphabet.includes(one)).join('');
    return Buffer.from(digits.length % 4 === 1 ? digits.slice(0, -1) : digits, 'base64');
  });
  return Buffer.concat(blocks);
}

function inPieces(bytes: Buffer, size: number, inPlace = false): Buffer {
  const decoder = transferDecoder('base64', inPlace);
  const pieces: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += size) {
    const piece = Buffer.from(bytes.subarray(at, at + size));
    pieces.push(decoder.push(piece));
  }
  return Buffer.concat([...pieces, decoder.end()]);
}

it('decodes lines of every length and end, damaged or not, whole and in pieces', () => {
  const piece = fc.oneof(
    {
      weight: 3,
      arbitrary: fc.constantFrom('', 'A', '=', '==', '-', '_', ' ', '\r', '\n', '\t', '*', '\0', 'ÿ', 'QQ=='),
    },
    fc.stringMatching(/^[A-Za-z0-9+/=_-]{0,40}$/),
  );
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 3000 }),
      fc.integer({ min: 1, max: 80 }),
      fc.constantFrom('\r\n', '\n', '\r', ' \r\n'),
      fc.array(fc.tuple(fc.nat(), piece), { maxLength: 3 }),
      fc.integer({ min: 1, max: 500 }),
      (content, length, end, damage, size) => {
        const lines =
          Buffer.from(content)
            .toString('base64')
            .match(new RegExp(`.{1,${length}}`, 'g')) ?? [];
        let text = lines.map((line) => line + end).join('');
        for (const [at, added] of damage)
          text = text.slice(0, at % (text.length + 1)) + added + text.slice(at % (text.length + 1));
        const bytes = Buffer.from(text, 'latin1');
        expect(decodeTransfer(bytes, 'base64')).toEqual(expected(text));
        expect(inPieces(bytes, size)).toEqual(expected(text));
        expect(inPieces(bytes, size, true)).toEqual(expected(text));
      },
    ),
    { numRuns: 2000 },
  );
});

it('leaves lines that it cannot decode as they are, in place too', () => {
  expect(inPieces(Buffer.from('\nAA\xffA\nAAAA\n', 'latin1'), 100, true)).toEqual(expected('AAAAAAA'));
});

it('decodes a long attachment from pieces that end anywhere', () => {
  const content = Buffer.from(Array.from({ length: 300_000 }, (_, at) => (at * 31) >> 3));
  const text = content.toString('base64').replace(/.{76}/g, '$&\r\n');
  for (const size of [1, 77, 4096, 65_537, 1_000_000]) {
    expect(inPieces(Buffer.from(text), size).equals(content)).toBe(true);
    expect(inPieces(Buffer.from(text), size, true).equals(content)).toBe(true);
  }
});
