import { describe, expect, it } from 'vitest';
import { SortedUids } from '../../src/view/threads/sorted-uids.js';
import { ThreadNodes } from '../../src/view/threads/thread-nodes.js';

const message = (uid: number, references: number[] = []) => ({
  uid,
  id: uid * 1_000_003,
  references,
  subject: 0,
  isReply: uid % 2 === 0,
  date: 1_700_000_000_000 + uid,
});

describe('uids in few bytes', () => {
  it.each([[[]], [[5]], [[1, 2, 7, 4_294_967_295]]])('are those that were given (%#)', (uids: number[]) => {
    const sorted = new SortedUids(uids);
    expect([0, 1, 2, 3, 5, 7, 4_294_967_295].filter((uid) => sorted.has(uid))).toEqual(uids);
    expect(sorted.bytes).toBe(4 * uids.length);
  });
});

describe('what threading needs of messages', () => {
  it('comes back as it was given, but for messages that are gone', async () => {
    const nodes = new ThreadNodes();
    expect(await nodes.messages([1, 2])).toEqual([]);
    for (const uid of [1, 2, 3]) nodes.add(message(uid, [uid + 10, uid + 20]));
    nodes.add({ ...message(4), id: null });
    expect(await nodes.messages([3, 9, 4, 1])).toEqual([
      message(3, [13, 23]),
      { ...message(4), id: null },
      message(1, [11, 21]),
    ]);
    expect(nodes.dateOf(2)).toBe(1_700_000_000_002);
    nodes.remove(2);
    await nodes.keep([1, 2, 3]);
    expect([nodes.size, nodes.has(2), nodes.has(4), nodes.dateOf(4)]).toEqual([2, false, false, undefined]);
  });

  it('is counted in bytes, which are none when all of it is gone', () => {
    const nodes = new ThreadNodes();
    expect(nodes.bytes).toBe(0);
    nodes.add(message(1, [5, 6]));
    const { bytes } = nodes;
    expect(bytes).toBeGreaterThan(100);
    nodes.add(message(1, [5, 6]));
    expect(nodes.bytes).toBe(bytes);
    nodes.add(message(2));
    nodes.remove(1);
    nodes.remove(1);
    nodes.remove(2);
    expect(nodes.bytes).toBe(0);
  });
});
