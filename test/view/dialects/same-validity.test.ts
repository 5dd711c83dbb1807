import { expect, it } from 'vitest';
import { ScriptedFolder } from '../../support/scripted-folder.js';
import { expected, type Offer, oddVisitor, offers } from './odd-visitor.js';

/** Cyrus takes the second for its UIDVALIDITY, so two folders that were made together have the same one. */
function twins() {
  const folder = new ScriptedFolder(3, { mailboxId: 'F1' });
  const other = new ScriptedFolder(3, { mailboxId: 'F2' });
  // As many messages, and what differs is older than the newest change of the one before.
  other.flag(2, '\\Flagged');
  for (const flags of [['\\Seen'], [], ['\\Seen']]) folder.flag(1, ...flags);
  const replace = () => {
    folder.replacedBy = other;
    folder.gone = true;
  };
  return { folder, other, replace };
}

it.each(Object.keys(offers) as Offer[])(
  'on a server that offers %s, a folder whose place another of the same UIDVALIDITY takes is told apart by MAILBOXID',
  async (offer) => {
    const { folder, other, replace } = twins();
    const { page, client, session } = await oddVisitor(folder, offer);
    await page();
    const since = (await client.call('message.list', { session, mailbox: 'INBOX' })).state ?? '';
    replace();
    expect(await page()).toEqual(expected(other));
    expect(await client.call('mailbox.changes', { session, mailbox: 'INBOX', since })).toMatchObject({
      complete: false,
      total: 3,
    });
  },
);

it.each(Object.keys(offers) as Offer[])(
  'on a server that offers %s, it is told apart although the connection was lost meanwhile',
  async (offer) => {
    const { folder, other, replace } = twins();
    const { page, server } = await oddVisitor(folder, offer);
    await page();
    server.cut();
    replace();
    expect(await page()).toEqual(expected(other));
  },
);

it('an opened message of the folder before is not answered for that of the next', async () => {
  const { folder, replace } = twins();
  const { client, session } = await oddVisitor(folder, 'QRESYNC');
  const open = () => client.call('message.get', { session, mailbox: 'INBOX', uidValidity: 1, uids: [3] });
  await open();
  expect((await open()).meta.source).toBe('validated');
  replace();
  expect((await open()).meta.source).toBe('server');
});

it('a message that was opened ahead in the folder before is read again in the next', async () => {
  const { folder, replace } = twins();
  const { page, client, session, server } = await oddVisitor(folder, 'QRESYNC');
  await page();
  replace();
  await client.call('message.get', { session, mailbox: 'INBOX', uidValidity: 1, uids: [3] });
  const { received } = server;
  const opened = received.flatMap((line, at) => (/^\S+ UID FETCH 3 .*ENVELOPE/.test(line) ? [at] : []));
  const selected = received.findLastIndex((line) => /^\S+ SELECT /.test(line));
  expect(opened).toHaveLength(2);
  expect(opened[0]).toBeLessThan(selected);
  expect(opened[1]).toBeGreaterThan(selected);
});
