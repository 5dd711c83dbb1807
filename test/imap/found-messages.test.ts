import { describe, expect, it } from 'vitest';
import { FoundMessages, type Run } from '../../src/imap/messages/folders/found-messages.js';
import type { Sort } from '../../src/protocol/criteria.js';

const newest: Sort[] = [{ by: 'arrival', descending: true }];

/** A folder whose hits have these keys, of which the first `known` are known. */
function run(mailbox: string, keys: number[], known = keys.length): Run {
  const sorted = [...keys].sort((a, b) => b - a);
  const uids = Uint32Array.from(sorted, (_key, index) => index + 1);
  return { mailbox, uidValidity: 1, uids, columns: [sorted.slice(0, known)], stamp: undefined };
}

const shown = async (found: FoundMessages, from: number, to: number) =>
  (await found.places(from, to)).map(({ run: { mailbox }, uid }) => `${mailbox}${uid}`);

describe('hits of several folders', () => {
  it('are merged by their keys, then by the names of the folders', async () => {
    const found = new FoundMessages(0, newest, [run('b', [5, 3, 3]), run('a', [5, 4, 3]), run('c', [])], []);
    expect(await found.extend(100)).toEqual([]);
    expect(found.total).toBe(6);
    expect(await shown(found, 0, 100)).toEqual(['a1', 'b1', 'a2', 'a3', 'b2', 'b3']);
    expect(await shown(found, 2, 4)).toEqual(['a2', 'a3']);
    expect(await shown(new FoundMessages(0, newest, [], []), 0, 10)).toEqual([]);
  });

  it('ask for the keys of those folders alone whose next hit may be next', async () => {
    const [a, b] = [run('a', [9, 8, 7, 1], 1), run('b', [6, 5], 1)];
    const found = new FoundMessages(0, newest, [a, b], []);
    expect(await found.extend(2)).toEqual([a]);
    a.columns = [[9, 8, 7, 1]];
    expect(await found.extend(4)).toEqual([b]);
    b.columns = [[6, 5]];
    expect(await found.extend(6)).toEqual([]);
    expect(await shown(found, 0, 6)).toEqual(['a1', 'a2', 'a3', 'b1', 'b2', 'a4']);
  });

  it('need no keys where they are all of one folder', async () => {
    const found = new FoundMessages(0, newest, [run('a', [3, 2, 1], 0)], []);
    expect(await found.extend(3)).toEqual([]);
    expect(await shown(found, 0, 3)).toEqual(['a1', 'a2', 'a3']);
  });

  it('are the same as if all were sorted together, however many', async () => {
    const runs = Array.from({ length: 40 }, (_, folder) =>
      run(
        String(folder).padStart(2, '0'),
        Array.from({ length: folder * 5 }, (_key, index) => (index * 7919 + folder * 104_729) % 10_007),
      ),
    );
    const found = new FoundMessages(0, newest, runs, []);
    await found.extend(found.total);
    const places = await found.places(0, found.total);
    expect(places).toHaveLength(found.total);
    const keys = places.map((place) => found.keysOf(place)?.[0] ?? 0);
    expect(keys).toEqual([...keys].sort((one, other) => Number(other) - Number(one)));
    expect(found.bytes).toBeGreaterThan(found.total * 12);
  });
});
