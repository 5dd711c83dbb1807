import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Membership } from '../../src/view/membership.js';
import { UidRanges } from '../../src/view/ranges.js';

/** A folder as a server keeps it. */
class Folder {
  messages: { uid: number; flags: string[] }[] = [];
  #next = 1;

  append(gap: number, flags: string[]): void {
    this.#next += gap;
    this.messages.push({ uid: this.#next, flags });
    this.#next += 1;
  }
}

const flags = fc.subarray(['\\Answered', '\\Seen', 'Seen', 'work']);
const step = fc.oneof(
  fc.record({ do: fc.constant('append' as const), gap: fc.nat(3), flags }),
  fc.record({ do: fc.constant('expunge' as const), at: fc.nat() }),
  fc.record({ do: fc.constant('vanish' as const), at: fc.array(fc.nat(), { minLength: 1, maxLength: 4 }) }),
  fc.record({ do: fc.constant('flag' as const), at: fc.nat(), flags, withUid: fc.boolean() }),
  fc.record({ do: fc.constant('below' as const), count: fc.integer({ min: 1, max: 5 }) }),
  fc.record({ do: fc.constant('top' as const) }),
  fc.record({ do: fc.constant('truncate' as const), most: fc.nat(10) }),
);
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

/** Does a step to the folder and tells the membership what a server would tell of it. */
function apply(folder: Folder, members: Membership, one: Step): void {
  const { messages } = folder;
  const pick = (at: number) => at % Math.max(1, messages.length);
  switch (one.do) {
    case 'append':
      folder.append(one.gap, one.flags);
      expect(members.announce(messages.length)).toBe(true);
      break;
    case 'expunge': {
      const at = pick(one.at);
      if (messages.splice(at, 1).length > 0) expect(members.expunge(at + 1)).toBe(true);
      break;
    }
    case 'vanish': {
      const gone = new Set(one.at.map((at) => messages[pick(at)]?.uid).filter((uid) => uid !== undefined));
      if (gone.size === 0) return;
      folder.messages = messages.filter(({ uid }) => !gone.has(uid));
      const ranges = new UidRanges();
      ranges.add([...gone].join(','));
      expect(members.vanish(ranges)).toBe(true);
      break;
    }
    case 'flag': {
      const message = messages[pick(one.at)];
      if (!message) return;
      message.flags = one.flags;
      members.flag(pick(one.at) + 1, one.withUid ? message.uid : undefined, JSON.stringify(one.flags));
      break;
    }
    case 'below': {
      const from = Math.max(0, members.base - one.count);
      members.addOlder(messages.slice(from, members.base));
      break;
    }
    case 'top':
      members.addNewest(messages.slice(members.base + members.uids.length));
      break;
    case 'truncate':
      members.truncate(one.most);
  }
}

/** Everything that the membership says of the folder holds. */
function check({ messages }: Folder, members: Membership): void {
  expect(members.exists).toBe(messages.length);
  expect(members.unknownOnTop).toBeGreaterThanOrEqual(0);
  const known = messages.slice(members.base, members.base + members.uids.length);
  expect(members.uids).toEqual(known.map(({ uid }) => uid));
  for (const message of known) expect(members.flagsOf(message.uid)).toBe(JSON.stringify(message.flags));
  expect(members.unseen).toBe(known.filter((message) => !message.flags.includes('\\Seen')).length);
}

describe('the membership of a folder', () => {
  it('is that of the server after whatever it tells, in any order', () => {
    fc.assert(
      fc.property(fc.nat(12), fc.array(step, { maxLength: 40 }), (start, steps) => {
        const folder = new Folder();
        for (let count = 0; count < start; count += 1) folder.append(count % 3, []);
        const members = new Membership(() => {});
        members.reset(folder.messages.length);
        for (const one of steps) {
          apply(folder, members, one);
          check(folder, members);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('does not believe an EXISTS that hides an EXPUNGE', () => {
    const members = new Membership(() => {});
    members.reset(3);
    members.addOlder([1, 2, 3].map((uid) => ({ uid, flags: [] })));
    expect(members.announce(2)).toBe(false);
  });

  it('does not believe an EXPUNGE or a VANISHED of messages that are not there', () => {
    const members = new Membership(() => {});
    members.reset(1);
    const two = new UidRanges();
    two.add('5:6');
    expect([members.expunge(2), members.expunge(0), members.vanish(two)]).toEqual([false, false, false]);
    expect(members.exists).toBe(1);
  });

  it('keeps flags that came without a uid before their message was known', () => {
    const members = new Membership(() => {});
    members.reset(2);
    members.flag(2, undefined, '["\\\\Seen"]');
    members.addOlder([
      { uid: 4, flags: [] },
      { uid: 9, flags: [] },
    ]);
    expect(members.flagsOf(9)).toBe('["\\\\Seen"]');
    expect(members.flagsOf(4)).toBe('[]');
  });

  it('keeps a bounded number of such flags, and says so to those who fetch meanwhile', () => {
    const members = new Membership(() => {});
    members.reset(1_000_000);
    const { shifts } = members;
    for (let seq = 1; seq <= 100_000; seq += 1) members.flag(seq, undefined, '[]');
    expect(members.bytes).toBeLessThan(3_000_000);
    expect(members.shifts).toBeGreaterThan(shifts);
  });
});
