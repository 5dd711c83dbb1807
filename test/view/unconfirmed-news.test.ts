import { describe, expect, it } from 'vitest';
import { NewestInSlot } from '../../src/pool/queue/newest-in-slot.js';
import { now } from '../../src/runtime/moment.js';
import { MailboxReader } from '../../src/view/mailbox-reader.js';
import { MailboxView } from '../../src/view/mailbox-view.js';
import { fetchedPage } from '../../src/view/page.js';
import { placeView } from '../../src/view/place-view.js';
import { opened, scripted } from '../imap/scripted.js';
import { ScriptedFolder } from '../support/scripted-folder.js';

/** A folder whose count of messages is asked for, over one connection to Courier or to a server by the book. */
async function counted(courier: boolean) {
  const folder = new ScriptedFolder(5, { makesUpMissing: courier });
  const server = await scripted({ capabilities: 'IMAP4rev1 ID', on: folder.handlers() });
  const connection = await opened(server);
  const reader = new MailboxReader('INBOX', new MailboxView(), () => {}, { idle: 0, noop: 0, select: 0 });
  const leases = { run: async <T>(_job: unknown, work: (one: typeof connection) => Promise<T>) => work(connection) };
  const count = async (maxAgeMs: number) => {
    const { value, origin } = await reader.read({ ...leases, slots: new NewestInSlot() } as never, {
      key: 'count',
      maxAgeMs,
      job: { label: 'count', effect: 'read', signal: new AbortController().signal, deadlineAt: Date.now() + 10_000 },
      fromMemory: (view) => (view.placed ? view.members.exists : undefined),
      fetch: async (view) => view.members.exists,
    });
    return [value, origin.source];
  };
  return { folder, connection, count };
}

describe('what a server told outside of a confirmation, when a connection was tried by a NOOP', () => {
  it('is asked again where the server stays in a folder that was replaced: it may be of the next folder', async () => {
    const { folder, connection, count } = await counted(true);
    await count(0);
    expect(await count(60_000)).toEqual([5, 'cache']);
    folder.expunge(2);
    await connection.noop();
    expect(await count(60_000)).toEqual([4, 'validated']);
    expect(await count(60_000)).toEqual([4, 'cache']);
  });

  it('counts where the server ends the session of such a folder', async () => {
    const { folder, connection, count } = await counted(false);
    await count(0);
    folder.expunge(2);
    await connection.noop();
    expect(await count(60_000)).toEqual([4, 'cache']);
  });

  it('leaves nothing behind when the connection is lost before a confirmation', async () => {
    const { server, folder, connection, view, again } = await placed();
    expect((await fetchedPage(view, connection, page))?.uids).toEqual([6, 5, 4, 3]);
    // As told by a session that goes on with another folder: message 4 is there all the time.
    for (const peer of server.connections) peer.send('* 4 EXPUNGE');
    await connection.noop();
    expect([view.members.uids, view.unsure]).toEqual([[3, 5, 6], true]);
    connection.close();
    expect(folder.mails).toHaveLength(6);
    const other = await again();
    await placeView(view, other, 'INBOX', 500);
    view.confirm(now());
    expect((await fetchedPage(view, other, page))?.uids).toEqual([6, 5, 4, 3]);
    expect(view.unsure).toBe(false);
  });
});

const page = { start: undefined, limit: 4, fields: ['size' as const] };

/** The view of a folder of six messages at Courier. */
async function placed() {
  const folder = new ScriptedFolder(6, { makesUpMissing: true });
  const server = await scripted({ capabilities: 'IMAP4rev1 ID', on: folder.handlers() });
  const again = () => opened(server);
  const connection = await again();
  const view = new MailboxView();
  await placeView(view, connection, 'INBOX', 500);
  view.confirm(now());
  return { server, folder, connection, view, again };
}
