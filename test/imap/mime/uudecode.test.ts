import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeTransfer, transferDecoder } from '../../../src/imap/mime/transfer/transfer-decoder.js';

function uuencode(bytes: Buffer, zero = '`'): string {
  const digit = (value: number) => (value === 0 ? zero : String.fromCharCode(value + 32));
  const rows: string[] = [];
  for (let at = 0; at < bytes.length; at += 45) {
    const row = bytes.subarray(at, at + 45);
    let text = digit(row.length);
    for (let from = 0; from < row.length; from += 3) {
      const bits = ((row[from] ?? 0) << 16) | ((row[from + 1] ?? 0) << 8) | (row[from + 2] ?? 0);
      text += [18, 12, 6, 0].map((shift) => digit((bits >> shift) & 63)).join('');
    }
    rows.push(text);
  }
  return ['some words before', 'begin 644 a.bin', ...rows, zero, 'end', '#0V%T', ''].join('\r\n');
}

describe('uuencode', () => {
  it('is decoded, whole and in pieces that end anywhere', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 200 }),
        fc.constantFrom('`', ' '),
        fc.nat({ max: 60 }),
        (bytes, zero, size) => {
          const encoded = Buffer.from(uuencode(Buffer.from(bytes), zero));
          expect(decodeTransfer(encoded, 'x-uuencode').equals(Buffer.from(bytes))).toBe(true);
          const decoder = transferDecoder('uuencode');
          const pieces: Buffer[] = [];
          for (let at = 0; at < encoded.length; at += size + 1)
            pieces.push(decoder.push(encoded.subarray(at, at + size + 1)));
          expect(Buffer.concat([...pieces, decoder.end()]).equals(Buffer.from(bytes))).toBe(true);
        },
      ),
      { numRuns: 500 },
    );
  });

  it.each([
    ['blanks that got lost at the end of a line', 'begin 644 a\n$0V%T\nend\n', 'Cat\0'],
    ['lines of zeros that got lost', `begin 644 a\n${'M\n'.repeat(100)}#0V%T\nend\n`, `${'\0'.repeat(4500)}Cat`],
    ['no end', 'begin 644 a\n#0V%T', 'Cat'],
    ['no beginning', '#0V%T\nend\n', ''],
    ['a line of another kind', `begin 644 a\n#0V%T\n${'x'.repeat(500)}\n#0V%T\nend`, 'CatCat'],
  ])('with %s', (_name, encoded, text) => {
    expect(decodeTransfer(Buffer.from(encoded), 'x-uue').toString()).toBe(text);
  });

  it('is decoded in time that grows with its length, whatever its lines say', () => {
    const encoded = Buffer.from(`begin 644 a\n${'_\n'.repeat(500_000)}`);
    const before = process.cpuUsage();
    expect(decodeTransfer(encoded, 'x-uuencode')).toHaveLength(63 * 500_000);
    // Processor time, which other work on the machine hardly changes; with its square this would take minutes.
    const { user, system } = process.cpuUsage(before);
    expect((user + system) / 1000).toBeLessThan(5000);
  });

  it('takes whatever comes', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        decodeTransfer(Buffer.from(`begin 644 a\n${text}`), 'uue');
      }),
    );
  });
});
