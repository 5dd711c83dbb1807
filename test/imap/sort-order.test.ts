import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { inOrder, orderOf } from '../../src/imap/messages/search/order.js';
import { SortKeys } from '../../src/imap/messages/search/sort-keys.js';
import type { Sort } from '../../src/protocol/criteria.js';

const sortOf = (...names: string[]): Sort[] =>
  names.map((name) => ({ by: name.replace('-', '') as Sort['by'], descending: name.startsWith('-') }));

/** The same by the sort of the language. */
function plainly(uids: number[], columns: (string | number)[][], sort: Sort[]): number[] {
  const { keys, descending } = orderOf(sort);
  return uids
    .map((uid, index) => ({ uid, keys: columns.map((column) => column[index] ?? 0) }))
    .sort((a, b) => {
      for (const [index, key] of keys.entries()) {
        const [left, right] = [a.keys[index] ?? 0, b.keys[index] ?? 0];
        if (left !== right) return left < right !== key.descending ? -1 : 1;
      }
      return descending ? b.uid - a.uid : a.uid - b.uid;
    })
    .map(({ uid }) => uid);
}

describe('an order', () => {
  it('ends at the uid, which no two messages share', () => {
    expect(orderOf(sortOf('-date', 'from'))).toEqual({ keys: sortOf('-date', 'from'), descending: false });
    expect(orderOf(sortOf('-uid', 'from'))).toEqual({ keys: [], descending: true });
    expect(orderOf(sortOf('from', '-uid', 'date'))).toEqual({ keys: sortOf('from'), descending: true });
  });

  it.each([0, 1, 2, 1_023, 1_024, 1_025, 2_049, 5_000])('is that of the language for %i messages', async (count) => {
    const uids = Array.from({ length: count }, (_, index) => 2 * index + 1);
    const sizes = uids.map((uid) => (uid * 7919) % 97);
    const subjects = uids.map((uid) => `S${(uid * 31) % 13}`);
    for (const sort of [sortOf('size', 'subject'), sortOf('-size', 'subject', '-uid'), sortOf('-size', '-subject')]) {
      expect(await inOrder(uids, [sizes, subjects], orderOf(sort))).toEqual(plainly(uids, [sizes, subjects], sort));
    }
  });

  it('of 200,000 messages leaves turns to others', async () => {
    const uids = Array.from({ length: 200_000 }, (_, index) => index + 1);
    const dates = uids.map((uid) => (uid * 7919) % 200_003);
    let turns = 0;
    const timer = setInterval(() => {
      turns += 1;
    }, 1);
    const ordered = await inOrder(uids, [dates], orderOf(sortOf('date')));
    clearInterval(timer);
    expect(turns).toBeGreaterThan(5);
    expect(ordered).toHaveLength(200_000);
    for (let at = 1; at < ordered.length; at += 997) {
      expect(dates[(ordered[at] ?? 0) - 1]).toBeGreaterThan(dates[(ordered[at - 1] ?? 0) - 1] ?? 0);
    }
  });
});

describe('sort keys', () => {
  it('are fetched once: only of messages that have none', () => {
    const keys = new SortKeys();
    expect(keys.lacking('size', [1, 5, 9])).toEqual([1, 5, 9]);
    const added = [
      { uid: 9, key: 90 },
      { uid: 1, key: 10 },
    ];
    keys.add('size', added, [1, 5, 9]);
    expect(keys.lacking('size', [1, 5, 9, 12])).toEqual([5, 12]);
    expect(keys.of('size', [1, 5, 9])).toEqual([10, undefined, 90]);
    expect(keys.of('subject', [1, 9])).toEqual([undefined, undefined]);
  });

  it('are those that were added, in whatever order they came, and count their bytes', () => {
    const entry = fc.record({ uid: fc.integer({ min: 1, max: 60 }), key: fc.string({ maxLength: 5 }) });
    fc.assert(
      fc.property(fc.array(fc.uniqueArray(entry, { selector: ({ uid }) => uid }), { maxLength: 5 }), (batches) => {
        const keys = new SortKeys();
        const all = Array.from({ length: 60 }, (_, index) => index + 1);
        const first = new Map<number, string>();
        for (const batch of batches) {
          keys.add('from', batch, all);
          for (const { uid, key } of batch) if (!first.has(uid)) first.set(uid, key);
        }
        expect(keys.of('from', all)).toEqual(all.map((uid) => first.get(uid)));
        expect(keys.bytes).toBe([...first.values()].reduce((sum, key) => sum + 32 + key.length, 0));
      }),
    );
  });

  it('of messages that are not asked for make room where there are more than 200,000', () => {
    const keys = new SortKeys();
    const [old, young] = [1, 100_001].map((from) => Array.from({ length: 150_000 }, (_, index) => from + index));
    const keyed = (uids: number[] = []) => uids.map((uid) => ({ uid, key: uid }));
    keys.add('arrival', keyed(old), old ?? []);
    keys.add('arrival', keyed(young), young ?? []);
    expect(keys.lacking('arrival', young ?? [])).toEqual([]);
    expect(keys.lacking('arrival', [1])).toEqual([1]);
    expect(keys.bytes).toBe(150_000 * 12);
  });
});
