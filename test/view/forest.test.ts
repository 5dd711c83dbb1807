import { describe, expect, it } from 'vitest';
import type { Thread } from '../../src/protocol/methods/message-threads.js';
import { bytesOfForest, messagesOf, packForest, rankOf, treeJson, withHits } from '../../src/view/threads/forest.js';

const one = (uid: number | null, ...replies: Thread[]): Thread => ({ uid, replies });

describe('packed conversations', () => {
  it('are none where there are none', async () => {
    const forest = await packForest({ threads: [], byDate: [] });
    expect(forest.starts).toHaveLength(0);
    expect(rankOf(forest, 1)).toBe(0);
    expect((await withHits(forest, [1])).starts).toHaveLength(0);
  });

  it('are the same trees, those with the newest message first', async () => {
    const threads = [one(1, one(4, one(2)), one(7)), one(3), one(null, one(5), one(6, one(8)))];
    const forest = await packForest({ threads, byDate: [3, 1, 2, 4, 8, 5, 6, 7] });
    const [first, second, third] = threads;
    expect([0, 1, 2].map((index) => JSON.parse(treeJson(forest, index)))).toEqual([first, third, second]);
    expect(messagesOf(forest, 0)).toEqual([1, 2, 4, 7]);
    expect(messagesOf(forest, 1)).toEqual([8, 5, 6]);
    expect(rankOf(forest, 7)).toBeGreaterThan(rankOf(forest, 6));
    const some = await withHits(forest, [3, 8]);
    expect([0, 1].map((index) => JSON.parse(treeJson(some, index)))).toEqual([third, second]);
    expect(bytesOfForest(forest)).toBeGreaterThan(0);
  });

  it('of a thousand replies, each to the one before, have a hundred levels and every message', async () => {
    let chain = one(1_000);
    for (let uid = 999; uid > 0; uid -= 1) chain = one(uid, chain);
    const uids = Array.from({ length: 1_000 }, (_, index) => index + 1);
    const forest = await packForest({ threads: [chain], byDate: uids });
    expect(messagesOf(forest, 0)).toEqual(uids);
    const found: number[] = [];
    let deepest = 0;
    const walk = (thread: Thread, depth: number) => {
      found.push(thread.uid ?? 0);
      deepest = Math.max(deepest, depth);
      for (const reply of thread.replies) walk(reply, depth + 1);
    };
    walk(JSON.parse(treeJson(forest, 0)) as Thread, 0);
    expect(found).toEqual(uids);
    expect(deepest).toBe(100);
  });

  it('take messages that the sort of the server lacks, and has twice', async () => {
    const forest = await packForest({ threads: [one(1), one(2), one(9)], byDate: [2, 1, 1] });
    expect([0, 1, 2].map((index) => messagesOf(forest, index))).toEqual([[1], [2], [9]]);
  });

  it('gives large conversations as it gives small ones', async () => {
    const replies: Thread[] = Array.from({ length: 3_000 }, (_, index) => ({
      uid: index % 7 === 3 ? null : index + 2,
      replies: index % 5 === 4 ? [{ uid: index + 5_000, replies: [] }] : [],
    }));
    const large: Thread = { uid: 1, replies };
    const uids = [1, ...replies.flatMap(({ uid, replies: [inner] }) => [uid ?? [], inner?.uid ?? []].flat())];
    const forest = await packForest({ threads: [one(9_999), large], byDate: [...uids.toReversed(), 9_999] });
    expect(JSON.parse(treeJson(forest, 1))).toEqual(large);
    expect(messagesOf(forest, 1)).toEqual(uids.toReversed());
    const [some] = [await withHits(forest, [1])];
    expect(JSON.parse(treeJson(some, 0))).toEqual(large);
    expect(bytesOfForest(forest)).toBeGreaterThan(uids.length * 13 + treeJson(forest, 1).length);
  });
});
