import { describe, expect, it } from 'vitest';
import type { Criteria } from '../../src/protocol/criteria.js';
import { dependenceOf, isEverything, staysHit } from '../../src/view/lists/dependence.js';
import { KeptList, KeptLists } from '../../src/view/lists/kept-lists.js';
import { sliceOfList } from '../../src/view/lists/ordered-list.js';

describe('a page of a list', () => {
  const list = Uint32Array.of(7, 3, 9, 1, 4);
  const slice = (start: { offset: number; after?: number }, before?: Uint32Array, of = list) =>
    sliceOfList(of, { after: undefined, ...start }, 2, { byUid: false, before });

  it('begins at an offset, and names where the next begins', () => {
    expect(slice({ offset: 0 })).toEqual({ uids: [7, 3], next: { offset: 2, after: 3 } });
    expect(slice({ offset: 3 })).toEqual({ uids: [1, 4], next: undefined });
    expect(slice({ offset: 5 })).toEqual({ uids: [], next: undefined });
    expect(slice({ offset: 99 })).toEqual({ uids: [], next: undefined });
    expect(slice({ offset: 0 }, undefined, new Uint32Array())).toEqual({ uids: [], next: undefined });
  });

  it('begins behind a message, wherever that is now', () => {
    expect(slice({ offset: 2, after: 3 }).uids).toEqual([9, 1]);
    expect(slice({ offset: 4, after: 3 }).uids).toEqual([9, 1]);
    expect(slice({ offset: 2, after: 4 }).uids).toEqual([]);
  });

  it('begins behind what stood before it where that message is gone', () => {
    const before = Uint32Array.of(7, 3, 5, 9, 1, 4);
    expect(slice({ offset: 3, after: 5 }, before).uids).toEqual([9, 1]);
    // All that stood before it is gone.
    expect(slice({ offset: 2, after: 8 }, Uint32Array.of(6, 8, 7)).uids).toEqual([7, 3]);
    // What stood before it is not known: one message was before it that is gone.
    expect(slice({ offset: 3, after: 5 }).uids).toEqual([9, 1]);
    // Nor does the list as it was before have that message: it was gone earlier.
    expect(slice({ offset: 3, after: 5 }, Uint32Array.of(8, 7, 3, 9, 1, 4)).uids).toEqual([9, 1]);
  });

  it('in the order of the folder begins below a uid, whether that is there or not', () => {
    const ordered = Uint32Array.of(9, 7, 4, 3, 1);
    const below = (after: number, offset = 1) =>
      sliceOfList(ordered, { after, offset }, 2, { byUid: true, before: undefined });
    expect(below(7).uids).toEqual([4, 3]);
    expect(below(8).uids).toEqual([7, 4]);
    expect(below(1).uids).toEqual([]);
    expect(below(99)).toEqual({ uids: [9, 7], next: { offset: 2, after: 7 } });
  });
});

describe('what a filter depends on', () => {
  it.each<[string, Criteria | undefined, string]>([
    ['nothing', undefined, 'messages'],
    ['no criterion', {}, 'messages'],
    ['text and dates', { from: 'a', receivedSince: '2024-01-01', not: { subject: 'b' } }, 'messages'],
    ['a flag', { seen: false, from: 'a' }, 'flags'],
    ['a flag deep inside', { and: [{ or: [{ text: 'a' }, { not: { keyword: 'b' } }] }] }, 'flags'],
    ['what is not known here', { youngerThanSeconds: 5 } as Criteria, 'time'],
    ['that in a group', { or: [{ seen: true }, { youngerThanSeconds: 5 } as Criteria] }, 'time'],
  ])('is told of %s', (_what, filter, depends) => {
    expect(dependenceOf(filter)).toBe(depends);
  });

  it('is nothing at all for all messages', () => {
    expect([undefined, {}, { seen: undefined }].map(isEverything)).toEqual([true, true, true]);
    expect(isEverything({ not: {} })).toBe(false);
  });

  it('tells which hits stay hits, and only where that is certain', () => {
    const flags = '["\\\\Seen","Work"]';
    expect(staysHit({ seen: true, keyword: 'WORK', subject: 'a' }, flags)).toBe(true);
    expect(staysHit({ seen: false }, flags)).toBe(false);
    expect(staysHit({ flagged: false, notKeyword: 'Other' }, flags)).toBe(true);
    expect(staysHit({ notKeyword: 'work' }, flags)).toBe(false);
    expect(staysHit({ or: [{ seen: true }, { text: 'a' }] }, flags)).toBe(false);
    expect(staysHit({ subject: 'a' }, flags)).toBe(true);
  });
});

describe('kept lists', () => {
  const view = { stamp: 1, arrangement: 1 };
  const flagsChanged = { stamp: 2, arrangement: 1 };
  const mailCame = { stamp: 3, arrangement: 2 };
  const listOf = (filter: Criteria | undefined) => new KeptList({ filter, sort: undefined }, [3, 2, 1], view);

  it('are true until something changes that they depend on', () => {
    const [all, unseen] = [listOf(undefined), listOf({ seen: false })];
    expect([all.isTrueOf(view), unseen.isTrueOf(view)]).toEqual([true, true]);
    expect([all.isTrueOf(flagsChanged), unseen.isTrueOf(flagsChanged)]).toEqual([true, false]);
    expect([all.isTrueOf(mailCame), unseen.isTrueOf(mailCame)]).toEqual([false, false]);
    expect(listOf({ youngerThanSeconds: 5 } as Criteria).isTrueOf(view)).toBe(false);
  });

  it('are few, the last used ones, and count their bytes', () => {
    const lists = new KeptLists();
    const empty = lists.bytes;
    const listing = (subject: string) => ({ filter: { subject }, sort: undefined });
    for (const name of ['a', 'b', 'c', 'd']) lists.keep(listing(name), listOf({ subject: name }));
    lists.touch(listing('a'));
    lists.keep(listing('e'), listOf({ subject: 'e' }));
    expect(['a', 'b', 'c', 'd', 'e'].filter((name) => lists.find(listing(name)))).toEqual(['a', 'c', 'd', 'e']);
    expect(lists.bytes).toBeGreaterThan(empty + 4 * 3 * 4);
    for (let index = 0; index < 100; index += 1) lists.keepCount({ subject: `s${index}` }, index, view);
    expect(lists.bytes).toBeLessThan(empty + 5_000);
    expect(lists.countOf({ subject: 's99' }, view)).toBe(99);
    expect(lists.countOf({ subject: 's99' }, flagsChanged)).toBeUndefined();
    expect(lists.countOf({ subject: 'e' }, flagsChanged)).toBe(3);
  });
});
