import { expect, it } from 'vitest';
import { ScriptedFolder } from '../../support/scripted-folder.js';
import type { ScriptedHandler } from '../../support/scripted-server.js';
import { expected, type Offer, oddVisitor, offers } from './odd-visitor.js';

const refuse =
  (code: string): ScriptedHandler =>
  (command, connection) =>
    connection.no(command, `[${code}] Not now`);

it.each(['INUSE', 'NOPERM'])(
  'a SELECT that is refused with %s is IMAP_NO, and then the folder is there',
  async (code) => {
    const folder = new ScriptedFolder(3);
    const { page, server } = await oddVisitor(folder, 'QRESYNC');
    await page();
    server.cut();
    folder.arrive();
    const { SELECT } = server.on;
    server.on.SELECT = refuse(code);
    expect(await page()).toEqual({ error: 'IMAP_NO' });
    server.on.SELECT = SELECT as ScriptedHandler;
    expect(await page()).toEqual(expected(folder));
  },
);

it('a server that takes no known state in a SELECT is asked without one', async () => {
  const folder = new ScriptedFolder(3);
  const { page, server } = await oddVisitor(folder, 'QRESYNC');
  const { SELECT } = server.on;
  server.on.SELECT = (command, connection) =>
    command.args.includes('QRESYNC') ? connection.bad(command) : SELECT?.(command, connection);
  await page();
  server.cut();
  folder.arrive();
  expect(await page()).toEqual({ error: 'IMAP_NO' });
  expect(await page()).toEqual(expected(folder));
});

it.each(Object.keys(offers) as Offer[])(
  'on a server that offers %s, a folder whose changes were refused is asked for them again',
  async (offer) => {
    const folder = new ScriptedFolder(4);
    const { page, server } = await oddVisitor(folder, offer);
    await page();
    server.cut();
    folder.expunge(2);
    folder.arrive();
    const fetch = server.on['UID FETCH'];
    server.on['UID FETCH'] = refuse('LIMIT');
    expect(await page()).toEqual({ error: 'IMAP_NO' });
    server.on['UID FETCH'] = fetch as ScriptedHandler;
    expect(await page()).toEqual(expected(folder));
  },
);

it('a session that refuses a folder as deleted under it gives way to a new one, which opens the folder that is there', async () => {
  const folder = new ScriptedFolder(3);
  const { page, server } = await oddVisitor(folder, 'QRESYNC');
  await page();
  folder.arrive();
  const stale = new Set<unknown>();
  const { SELECT, NOOP } = server.on;
  const gone = (command: Parameters<ScriptedHandler>[0], connection: Parameters<ScriptedHandler>[1]) =>
    connection.no(command, 'Mailbox was deleted under us');
  server.on.NOOP = (command, connection) => {
    if (stale.size > 0) return NOOP?.(command, connection);
    stale.add(connection);
    return gone(command, connection);
  };
  server.on.SELECT = (command, connection) =>
    stale.has(connection) ? gone(command, connection) : SELECT?.(command, connection);
  expect(await page()).toEqual(expected(folder));
});
