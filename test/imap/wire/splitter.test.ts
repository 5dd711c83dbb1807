import { describe, expect, it } from 'vitest';
import { Splitter } from '../../../src/imap/wire/splitter.js';

const MIB = 1024 * 1024;
const limits = { lineBytes: 16 * MIB, keptBytes: 16 * MIB, literalBytes: MIB, responseBytes: 16 * MIB };

/** What a splitter makes of octets that come so many a read: the lines and literals of each response. */
function split(
  octets: Buffer,
  perRead: number,
  within = limits,
): { lines: string[]; literals: string[]; cut: boolean }[] {
  const splitter = new Splitter(within);
  const responses: { lines: string[]; literals: string[]; cut: boolean }[] = [];
  // One memory for all reads, as a socket has it.
  const memory = Buffer.alloc(perRead);
  for (let read = 0; read < octets.length; read += perRead) {
    const chunk = memory.subarray(0, octets.copy(memory, 0, read));
    for (let at = 0; at < chunk.length && splitter.read(chunk, at); at = splitter.at) {
      const texts = (buffers: readonly Buffer[]) => buffers.map((one) => one.toString('latin1'));
      responses.push({ lines: texts(splitter.lines), literals: texts(splitter.literals), cut: splitter.cut });
      splitter.clear();
    }
  }
  return responses;
}

describe('responses', () => {
  const octets = Buffer.from(
    '* OK hello\r\n* 1 FETCH (A {3}\r\na\r\n B {0}\r\n C ~{1}\r\n{)\r\n\r\n* bare\n+ \r\n* cut short {7',
    'latin1',
  );
  const expected = [
    { lines: ['* OK hello\r\n'], literals: [] },
    { lines: ['* 1 FETCH (A {3}\r\n', ' B {0}\r\n', ' C ~{1}\r\n', ')\r\n'], literals: ['a\r\n', '', '{'] },
    { lines: ['\r\n'], literals: [] },
    { lines: ['* bare\n'], literals: [] },
    { lines: ['+ \r\n'], literals: [] },
  ];

  it.each([1, 2, 3, 7, 16, octets.length])('are the same in reads of %d octets', (perRead) => {
    expect(split(octets, perRead)).toEqual(expected.map((response) => ({ ...response, cut: false })));
  });

  it('that come one octet a read take as much memory as they have octets', () => {
    const splitter = new Splitter(limits);
    const octet = Buffer.from('a');
    const before = process.memoryUsage().heapUsed;
    for (let count = 0; count < 3_000_000; count += 1) splitter.read(octet, 0);
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(100 * MIB);
    expect(splitter.read(Buffer.from('\r\n'), 0)).toBe(true);
    expect(splitter.lines.map(({ length }) => length)).toEqual([3_000_002]);
  });
});

describe('a response whose chunk is used again before it is parsed', () => {
  it('is kept in a copy', () => {
    const splitter = new Splitter(limits);
    const chunk = Buffer.from('* 1 FETCH (A {3}\r\na\r\n)\r\n');
    expect(splitter.read(chunk, 0)).toBe(true);
    splitter.keep();
    chunk.fill('x');
    expect(splitter.lines.map(String)).toEqual(['* 1 FETCH (A {3}\r\n', ')\r\n']);
  });

  it('is not copied again where its only line came in several chunks', () => {
    const splitter = new Splitter(limits);
    expect(splitter.read(Buffer.from('* SEARCH 1'), 0)).toBe(false);
    expect(splitter.read(Buffer.from(' 2\r\n'), 0)).toBe(true);
    const [line] = splitter.lines;
    splitter.keep();
    expect(splitter.lines[0]).toBe(line);
    expect(String(line)).toBe('* SEARCH 1 2\r\n');
  });
});

describe('a response that is too long to be kept', () => {
  const kept = { ...limits, keptBytes: 100 };
  const long = 'x'.repeat(500);
  const octets = Buffer.from(
    `* 1 FETCH (UID 7 A {3}\r\n)}\r B ${long} {4}\r\n{9}\r C ${long})\r\n* SEARCH${' 12345'.repeat(100)}\r\n* 2 EXISTS\r\n`,
    'latin1',
  );

  it.each([1, 3, 7, 64, octets.length])('is passed over to its end in reads of %d octets', (perRead) => {
    const responses = split(octets, perRead, kept);
    expect(responses.map(({ cut }) => cut)).toEqual([true, false, false]);
    expect(responses[0]?.lines.join('')).toBe(`* 1 FETCH (UID 7 A {3}\r\n B ${long}`.slice(0, 100));
    expect(responses[0]?.literals).toEqual([')}\r']);
    expect(responses[1]?.lines.join('')).toHaveLength(610);
    expect(responses[2]?.lines).toEqual(['* 2 EXISTS\r\n']);
  });
});
