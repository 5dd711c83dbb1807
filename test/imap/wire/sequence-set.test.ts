import { describe, expect, it } from 'vitest';
import { countOf, forEachRange, sequenceSets, uidsOf } from '../../../src/imap/wire/sequence-set.js';

describe('a sequence set', () => {
  it.each<[string, string[]]>([
    ['5', ['5-5']],
    ['1:3,7,9:8', ['1-3', '7-7', '9-8']],
    ['4294967295', ['4294967295-4294967295']],
    [',,1,', ['1-1']],
    ['', []],
    ['x,0,-1,1:x,x:1,1:,:1,4294967296,1:2:3,*,:', []],
    ['1 ,2:3x,+4,5e1,0x6,007', ['7-7']],
  ])('%j is read range by range', (set, expected) => {
    const ranges: string[] = [];
    forEachRange(set, (from, to) => ranges.push(`${from}-${to}`) > 0);
    expect(ranges).toEqual(expected);
  });

  it('is read only as far as its reader wants', () => {
    const ranges: number[] = [];
    forEachRange('1,2,3,4', (from) => ranges.push(from) < 2);
    expect(ranges).toEqual([1, 2]);
    expect(countOf('7,'.repeat(1_000_000), 10)).toBe(11);
    expect(uidsOf('1:3,5:9,11', 5)).toEqual([1, 2, 3, 5, 6]);
  });

  it.each([
    ['without a range', '7,'.repeat(1_000_000), 1_000_000],
    ['with a range at its end', `${'7,'.repeat(1_000_000)}1:5`, 1_000_005],
    ['of commas', ','.repeat(1_000_000), 0],
  ])('of a million parts is read in one pass: %s', (_name, set, count) => {
    expect(countOf(set, 2_000_000)).toBe(count);
    expect(uidsOf(set)).toHaveLength(count);
  });

  it('is written within the length of a command line, and read back as it was', () => {
    const uids = Array.from({ length: 10_000 }, (_, index) => 1_000_000 + 2 * index);
    const sets = sequenceSets(uids);
    expect(Math.max(...sets.map(({ length }) => length))).toBeLessThanOrEqual(7000);
    expect(sets.flatMap((set) => uidsOf(set))).toEqual(uids);
    expect(sequenceSets([3, 1, 2, 7, 2])).toEqual(['1:3,7']);
  });
});
