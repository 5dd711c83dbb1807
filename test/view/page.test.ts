import { describe, expect, it } from 'vitest';
import type { ImapConnection } from '../../src/imap/connection/connection.js';
import type { Boundary } from '../../src/imap/messages/index-page.js';
import type { ListField } from '../../src/protocol/rows.js';
import { MailboxView } from '../../src/view/mailbox-view.js';
import { fetchedPage, knownPage, type Page } from '../../src/view/page.js';
import { placeView } from '../../src/view/place-view.js';
import { opened, scripted } from '../imap/scripted.js';
import { ScriptedFolder } from '../support/scripted-folder.js';
import type { ScriptedServer } from '../support/scripted-server.js';

const FIELDS: ListField[] = ['envelope', 'flags', 'size', 'internalDate'];

/** The view of a folder of so many messages, just selected, with ways to ask for pages and to see the commands. */
async function placed(count: number, fields = FIELDS) {
  const folder = new ScriptedFolder(count);
  const server = await scripted({ capabilities: 'IMAP4rev1 IDLE UIDPLUS', on: folder.handlers() });
  const connection = await opened(server);
  const view = new MailboxView();
  await placeView(view, connection, 'INBOX', 500);
  return {
    folder,
    server,
    view,
    connection,
    /** A page, with the sets of its FETCHes. */
    page: (limit: number, start?: Boundary) => watched(server, () => ask(view, connection, limit, start, fields)),
    known: (limit: number, start?: Boundary) => knownPage(view, { start, limit, fields }),
  };
}

function ask(
  view: MailboxView,
  connection: ImapConnection,
  limit: number,
  start: Boundary | undefined,
  fields: ListField[],
): Promise<Page | undefined> {
  return fetchedPage(view, connection, { start, limit, fields });
}

async function watched<T>(server: ScriptedServer, work: () => Promise<T>): Promise<{ value: T; sets: string[] }> {
  const before = server.received.length;
  const value = await work();
  const sets = server.received.slice(before).map((line) => /^\S+ (.*?FETCH \S+)/.exec(line)?.[1] ?? line);
  return { value, sets };
}

const down = (from: number, to: number) => Array.from({ length: from - to + 1 }, (_, index) => from - index);

describe('a page', () => {
  it('costs one FETCH, and nothing when it is asked for again', async () => {
    const { page, known } = await placed(1_000);
    expect(known(50)).toBeUndefined();
    const first = await page(50);
    expect(first.value).toEqual({ uids: down(1_000, 951), next: { below: 951, near: 951 }, above: 0 });
    expect(first.sets).toEqual(['FETCH 951:1000']);
    expect((await page(50)).sets).toEqual([]);
    expect(known(50)).toEqual(first.value);
    expect(known(20)?.uids).toEqual(down(1_000, 981));
  });

  it('fetches what is missing at its lower edge and no more', async () => {
    const { page } = await placed(1_000);
    await page(50);
    const larger = await page(80);
    expect(larger.value?.uids).toEqual(down(1_000, 921));
    expect(larger.sets).toEqual(['FETCH 921:950']);
    const next = await page(50, { below: 931, near: 931 });
    expect(next.value?.uids).toEqual(down(930, 881));
    expect(next.sets).toEqual(['FETCH 881:920']);
  });

  it('of more than 200 messages is fetched 200 at a time', async () => {
    const { page } = await placed(1_000);
    const { value, sets } = await page(500);
    expect(value).toEqual({ uids: down(1_000, 501), next: { below: 501, near: 501 }, above: 0 });
    expect(sets).toEqual(['FETCH 801:1000', 'FETCH 601:800', 'FETCH 501:600']);
  });

  it('that is larger than the folder is all of it, and the last', async () => {
    const { page, known } = await placed(30);
    const { value, sets } = await page(500);
    expect(value).toEqual({ uids: down(30, 1), next: undefined, above: 0 });
    expect(sets).toEqual(['FETCH 1:30']);
    expect(known(500)).toEqual(value);
    expect((await page(30)).value?.next).toBeUndefined();
    expect((await page(29)).value?.next).toEqual({ below: 2, near: 2 });
    expect((await page(10, { below: 2, near: 2 })).value).toEqual({ uids: [1], next: undefined, above: 29 });
    expect((await page(10, { below: 1, near: 1 })).value).toEqual({ uids: [], next: undefined, above: 30 });
  });

  it('of an empty folder is empty and costs nothing', async () => {
    const { page, known } = await placed(0);
    expect(await page(50)).toEqual({ value: { uids: [], next: undefined, above: 0 }, sets: [] });
    expect(known(50)).toEqual({ uids: [], next: undefined, above: 0 });
    expect((await page(50, { below: 7, near: 7 })).value).toMatchObject({ uids: [], next: undefined });
  });

  it('behind a cursor that is below all that is known is left to others', async () => {
    const { page, known, view } = await placed(1_000);
    const boundary = { below: 500, near: 500 };
    expect(await page(50, boundary)).toEqual({ value: undefined, sets: [] });
    await page(50);
    expect(known(50, boundary)).toBeUndefined();
    expect(await page(50, boundary)).toEqual({ value: undefined, sets: [] });
    // Right below the known ones it goes on from them.
    expect((await page(50, { below: 951, near: 951 })).value?.uids).toEqual(down(950, 901));
    expect(view.members.uids).toHaveLength(100);
  });

  it('behind a cursor whose message is gone begins at the next one', async () => {
    const { page, folder, connection } = await placed(100);
    await page(70);
    folder.expunge(51, 50);
    await connection.refresh();
    const { value } = await page(10, { below: 51, near: 51 });
    expect(value).toEqual({ uids: down(49, 40), next: { below: 40, near: 40 }, above: 49 });
  });

  it('beyond the 20,000 newest messages is left to others, so that memory stays bounded', async () => {
    const { page, view } = await placed(20_300, ['flags']);
    view.members.addOlder(
      down(20_300, 701)
        .map((uid) => ({ uid, flags: [] }))
        .reverse(),
    );
    const { value, sets } = await page(300, { below: 701, near: 701 });
    expect(value).toEqual({ uids: down(700, 401), next: { below: 401, near: 401 }, above: 19_600 });
    expect(sets).toEqual(['FETCH 501:700', 'FETCH 401:500']);
    expect(await page(101, value?.next)).toEqual({ value: undefined, sets: [] });
    // One that begins far above and ends below as well.
    expect((await page(500, { below: 800, near: 800 })).value).toBeUndefined();
    expect((await page(499, { below: 800, near: 800 })).value?.uids).toEqual(down(799, 301));
    expect(view.members.uids).toHaveLength(20_000);
    expect((await page(1, { below: 301, near: 301 })).value).toBeUndefined();
  });

  it('asks for fields that were not asked for before, of the messages that lack them', async () => {
    const { page, view, connection, server } = await placed(100);
    await page(20);
    const other = await watched(server, () => ask(view, connection, 30, undefined, ['size']));
    expect(other.sets).toEqual(['FETCH 71:80']);
    const all = await watched(server, () => ask(view, connection, 30, undefined, FIELDS));
    expect(all.sets).toEqual([`UID FETCH ${down(80, 71).join(',')}`]);
    expect(all.value?.uids).toEqual(down(100, 71));
  });
});

describe('new mail', () => {
  it('is fetched alone, rows and all', async () => {
    const { page, known, folder, connection } = await placed(100);
    await page(20);
    for (let count = 0; count < 5; count += 1) folder.arrive();
    await connection.refresh();
    expect(known(20)).toBeUndefined();
    const { value, sets } = await page(20);
    expect(value?.uids).toEqual(down(105, 86));
    expect(sets).toEqual(['FETCH 101:105']);
  });

  it('of more than 50 messages brings flags first, and the rows of those that are looked at', async () => {
    const { page, folder, connection } = await placed(100);
    await page(20);
    for (let count = 0; count < 3_000; count += 1) folder.arrive();
    await connection.refresh();
    const { value, sets } = await page(20);
    expect(value?.uids).toEqual(down(3_100, 3_081));
    expect(sets).toEqual(['FETCH 101:2100', 'FETCH 2101:3100', `UID FETCH ${down(3_100, 3_081).join(',')}`]);
  });
});

describe('messages that vanish while a page is fetched', () => {
  it.each(['before', 'within'] as const)('are not in it: %s the answer', async (when) => {
    const { page, folder } = await placed(100);
    folder.meanwhile = { when, happens: () => folder.expunge(90, 95) };
    const { value } = await page(20);
    if (when === 'within') expect(value?.uids).toEqual(down(100, 81));
    else expect(value?.uids).toEqual([...down(100, 96), ...down(94, 91), ...down(89, 79)]);
  });

  it('until nobody could follow make it give up', async () => {
    const { page, folder, server } = await placed(400);
    const before = server.on.FETCH;
    server.on.FETCH = (command, connection) => {
      folder.expunge(folder.mails.at(-1)?.uid ?? 0);
      return before?.(command, connection);
    };
    const { value, sets } = await page(20);
    expect(value).toBeUndefined();
    expect(sets.filter((line) => line.startsWith('FETCH')).length).toBeLessThan(20);
  });
});
