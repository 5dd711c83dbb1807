import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ImapConnection } from '../../src/imap/connection/connection.js';
import { accountKey } from '../../src/runtime/account-key.js';
import { placeView } from '../../src/view/place-view.js';
import { Views } from '../../src/view/views.js';
import { flagsOf, read, rowOf, stillConnection, uidsOf } from './kept-mail.js';

const MIB = 1024 * 1024;
const ROOM = { bytes: 64 * MIB, bodyBytes: 100_000 };

/** Has a folder of so many messages read, rows and all. */
function fill(views: Views, account: string, mailbox: string, count = 100): Promise<void> {
  return read(views, [account, mailbox], count, (view) => {
    view.members.addOlder(uidsOf(count).map((uid) => ({ uid, flags: flagsOf(uid) })));
    for (const uid of uidsOf(count)) view.rows.add(rowOf(uid));
  });
}

const rowsOf = (views: Views, account: string, mailbox: string) => views.reader(account, mailbox).view.rows.size;

describe('the reader of a folder', () => {
  it('is the same for all who ask, whatever case INBOX is written in', () => {
    const views = new Views();
    expect(views.reader('a', 'inbox')).toBe(views.reader('a', 'INBOX'));
    expect(views.reader('a', 'Work')).not.toBe(views.reader('a', 'work'));
    expect(views.reader('a', 'Work')).not.toBe(views.reader('b', 'Work'));
    expect(views.entries).toBe(4);
  });
});

describe('what was not used for the longest', () => {
  it('goes first, folders as well as bodies', async () => {
    const views = new Views({ bytes: 2 * MIB, bodyBytes: 100_000 });
    await fill(views, 'a', 'Old');
    await fill(views, 'a', 'Often');
    views.keepBody('a', 'old', 'x'.repeat(50_000));
    views.keepBody('a', 'often', 'x'.repeat(50_000));
    for (let index = 0; index < 100; index += 1) {
      views.reader('a', 'Often');
      views.recall('a', 'often');
      views.keepBody('b', `new ${index}`, 'x'.repeat(50_000));
    }
    expect(views.recall('a', 'old')).toBeUndefined();
    expect(views.recall('a', 'often')).toBeDefined();
    expect(rowsOf(views, 'a', 'Often')).toBe(100);
    expect(rowsOf(views, 'a', 'Old')).toBe(0);
  });

  it('is no longer followed by a connection', async () => {
    const views = new Views(ROOM);
    await fill(views, 'a', 'Old');
    const { view } = views.reader('a', 'Old');
    expect(view.placed).toBe(true);
    const connection = stillConnection(3);
    const other = views.reader('a', 'Other').view;
    await placeView(other, connection, 'Other', 500);
    expect(connection.isFollowedBy(other)).toBe(true);
    views.shed(0);
    expect(connection.isFollowedBy(other)).toBe(false);
    expect([view.placed, view.rows.size, view.members.uids.length]).toEqual([false, 0, 0]);
    expect([views.entries, views.bytes]).toEqual([0, 0]);
  });

  it('is left alone while it is read, and forgotten right after', async () => {
    const views = new Views(ROOM);
    let placed: boolean[] = [];
    await read(views, ['a', 'Old'], 3, async (view) => {
      views.shed(0);
      await Promise.resolve();
      placed = [view.placed, view.members.exists === 3];
    });
    expect(placed).toEqual([true, true]);
    expect([views.entries, views.bytes]).toEqual([0, 0]);
  });
});

describe('one folder', () => {
  it('that takes more than its share keeps the rows of its newest messages', async () => {
    const views = new Views({ bytes: 8 * MIB, bodyBytes: 0 });
    await fill(views, 'a', 'Large', 5_000);
    const { view } = views.reader('a', 'Large');
    expect(view.rows.size).toBe(500);
    expect(view.rows.has(uidsOf(5_000).at(-1) ?? 0, ['size'])).toBe(true);
    expect(view.members.uids).toHaveLength(5_000);
  });

  it('that takes more than all there is is not kept', async () => {
    const views = new Views({ bytes: MIB, bodyBytes: 0 });
    await read(views, ['a', 'Huge'], 100_000, (view) => {
      view.members.addOlder(uidsOf(100_000).map((uid) => ({ uid, flags: [] })));
    });
    expect([views.entries, views.bytes]).toEqual([0, 0]);
    expect(views.reader('a', 'Huge').view.placed).toBe(false);
  });
});

describe('bodies', () => {
  it('are kept up to their bound', () => {
    const views = new Views({ ...ROOM, bodyBytes: 1_000 });
    views.keepBody('a', 'small', 'x'.repeat(984));
    views.keepBody('a', 'large', 'x'.repeat(985));
    views.keepBody('a', 'wide', 'ж'.repeat(600));
    expect(['small', 'large', 'wide'].map((name) => views.recall('a', name)?.length)).toEqual([
      984,
      undefined,
      undefined,
    ]);
  });

  it('are none with a bound of 0', () => {
    const views = new Views({ ...ROOM, bodyBytes: 0 });
    views.keepBody('a', 'empty', '');
    expect(views.recall('a', 'empty')).toBeUndefined();
    expect(views.bytes).toBe(0);
  });
});

describe('a folder that is pinned', () => {
  it('is never forgotten, counts, and loses its rows alone when memory is short', async () => {
    const views = new Views(ROOM);
    const { reader } = views.pin('a', 'Watched');
    await fill(views, 'a', 'Watched');
    await fill(views, 'a', 'Other');
    const { bytes } = views;
    expect(views.entries).toBe(2);
    views.shed(bytes - 1);
    expect(views.entries).toBe(1);
    expect(reader.view.rows.size).toBe(100);
    views.shed(0);
    expect(views.reader('a', 'Watched')).toBe(reader);
    expect([reader.view.placed, reader.view.rows.size, reader.view.members.uids.length]).toEqual([true, 0, 100]);
    expect(views.bytes).toBeGreaterThan(0);
    expect(views.bytes).toBeLessThan(bytes / 10);
  });

  it('is like any other when the last pin is gone', async () => {
    const views = new Views(ROOM);
    const pins = [views.pin('a', 'Watched'), views.pin('a', 'Watched')];
    await fill(views, 'a', 'Watched');
    const { bytes } = views;
    pins[0]?.unpin();
    expect([views.entries, views.bytes]).toEqual([1, bytes]);
    pins[1]?.unpin();
    expect(views.reader('a', 'Watched')).toBe(pins[0]?.reader);
    expect([views.entries, views.bytes]).toEqual([1, bytes]);
    views.shed(0);
    expect([views.entries, views.bytes]).toEqual([0, 0]);
  });

  it('leaves less room for others', async () => {
    const views = new Views({ bytes: MIB, bodyBytes: 100_000 });
    views.pin('a', 'Watched');
    await fill(views, 'a', 'Watched', 200);
    const pinned = views.bytes;
    expect(pinned).toBeGreaterThan(100_000);
    for (let index = 0; index < 100; index += 1) {
      views.keepBody('b', `${index}`, 'x'.repeat(50_000));
      expect(views.bytes).toBeLessThanOrEqual(MIB);
    }
    expect(views.bytes - pinned).toBeGreaterThan(500_000);
  });

  it('goes with its account, and the pins of a later one are its own', () => {
    const views = new Views(ROOM);
    const old = views.pin('a', 'Watched');
    views.endAccount('a');
    expect([views.entries, views.bytes]).toEqual([0, 0]);
    const { reader, unpin } = views.pin('a', 'Watched');
    expect(reader).not.toBe(old.reader);
    old.unpin();
    views.shed(0);
    expect(views.reader('a', 'Watched')).toBe(reader);
    unpin();
    views.endAccount('a');
    expect([views.entries, views.bytes]).toEqual([0, 0]);
  });
});

describe('an account', () => {
  it('that is forgotten leaves nothing, and the others all', async () => {
    const views = new Views(ROOM);
    await fill(views, 'a', 'INBOX');
    views.keepBody('a', 'body', 'x');
    await fill(views, 'b', 'INBOX');
    views.keepBody('b', 'body', 'y');
    views.endAccount('a');
    expect(views.entries).toBe(2);
    expect(views.recall('b', 'body')).toBe('y');
    expect(rowsOf(views, 'b', 'INBOX')).toBe(100);
    views.endAccount('b');
    views.endAccount('b');
    expect([views.entries, views.bytes]).toEqual([0, 0]);
  });

  it('without a session is answered, and nothing of it is kept', async () => {
    const live = new Set(['a']);
    const views = new Views(ROOM, (account) => live.has(account));
    await fill(views, 'b', 'INBOX');
    views.keepBody('b', 'body', 'x');
    views.keepAnswer('b', 'answer', { at: 1, date: 1 }, () => 'x');
    const { reader, unpin } = views.pin('b', 'INBOX');
    expect([views.entries, views.bytes]).toEqual([0, 0]);
    unpin();
    expect(reader.view.placed).toBe(false);
    // The session ends while its folder is read.
    await read(views, ['a', 'INBOX'], 3, () => {
      live.delete('a');
      views.endAccount('a');
      views.keepBody('a', 'body', 'x');
    });
    expect([views.entries, views.bytes]).toEqual([0, 0]);
  });

  it('meets no other, whatever names they have', () => {
    const name = fc.oneof(fc.string(), fc.constantFrom('', '\0', 'folder', 'a\0folder\0b', '"', '\\', '","', '[]'));
    const account = fc.record({ tenant: name, server: name, user: name });
    fc.assert(
      fc.property(account, account, name, name, (one, other, mailbox, body) => {
        const [mine, theirs] = [one, other].map(({ tenant, server, user }) =>
          accountKey({ tenant, server: { name: server }, user }),
        ) as [string, string];
        fc.pre(mine !== theirs);
        const views = new Views(ROOM);
        const reader = views.reader(mine, mailbox);
        views.keepBody(mine, body, 'mine');
        expect(views.recall(theirs, body)).toBeUndefined();
        expect(views.recall(theirs, mailbox)).toBeUndefined();
        expect(views.reader(theirs, mailbox)).not.toBe(reader);
        views.endAccount(theirs);
        expect(views.reader(mine, mailbox)).toBe(reader);
        expect(views.recall(mine, body)).toBe('mine');
        views.endAccount(mine);
        expect([views.entries, views.bytes]).toEqual([0, 0]);
      }),
      { numRuns: 500 },
    );
  });
});

describe('what was written', () => {
  const followed = { isFollowedBy: () => true } as unknown as ImapConnection;
  const unfollowed = { isFollowedBy: () => false } as unknown as ImapConnection;

  it('makes the view of its folder older, unless the connection that wrote has told it', async () => {
    const views = new Views(ROOM);
    for (const mailbox of ['INBOX', 'Work', 'Other']) await fill(views, 'a', mailbox);
    await fill(views, 'b', 'INBOX');
    const outdated = () => ['INBOX', 'Work', 'Other'].map((mailbox) => views.reader('a', mailbox).view.outdated);
    views.wrote('a', 'inbox', followed);
    expect(outdated()).toEqual([false, false, false]);
    views.wrote('a', 'inbox', unfollowed);
    views.wrote('a', 'Work');
    expect(outdated()).toEqual([true, true, false]);
    expect(views.reader('b', 'INBOX').view.outdated).toBe(false);
  });

  it('to whichever folder makes all views of the account older, pinned ones too', async () => {
    const views = new Views(ROOM);
    views.pin('a', 'Work');
    for (const mailbox of ['INBOX', 'Work']) await fill(views, 'a', mailbox);
    await fill(views, 'b', 'INBOX');
    views.wroteAll('a');
    views.wroteAll('nobody');
    expect(['INBOX', 'Work'].map((mailbox) => views.reader('a', mailbox).view.outdated)).toEqual([true, true]);
    expect(views.reader('b', 'INBOX').view.outdated).toBe(false);
  });

  it('is known to a view that is confirmed after it', async () => {
    const views = new Views(ROOM);
    await fill(views, 'a', 'INBOX');
    views.wrote('a', 'INBOX');
    await fill(views, 'a', 'INBOX');
    expect(views.reader('a', 'INBOX').view.outdated).toBe(false);
  });
});
