import { describe, expect, it } from 'vitest';
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

/** From its next command of these on, a connection refuses this folder as one that was deleted under it. */
function staleFrom(commands: readonly string[], on: Record<string, ScriptedHandler>): void {
  const stale = new Set<unknown>();
  for (const name of ['NOOP', 'SELECT', 'STATUS']) {
    const real = on[name];
    on[name] = (command, connection) => {
      if (stale.size === 0 && commands.includes(name)) stale.add(connection);
      if (stale.has(connection)) return connection.no(command, 'Mailbox was deleted under us');
      return real?.(command, connection);
    };
  }
}

describe('a session that refuses a folder as deleted under it gives way to a new one, which', () => {
  it('opens the folder that is there', async () => {
    const folder = new ScriptedFolder(3);
    const { page, server } = await oddVisitor(folder, 'QRESYNC');
    await page();
    folder.arrive();
    staleFrom(['NOOP'], server.on);
    expect(await page()).toEqual(expected(folder));
  });

  it('is asked once: a folder that new sessions refuse likewise is not there, and costs no further logins', async () => {
    const folder = new ScriptedFolder(3);
    const { page, server } = await oddVisitor(folder, 'QRESYNC');
    await page();
    for (const name of ['NOOP', 'SELECT', 'STATUS']) {
      server.on[name] = (command, connection) => connection.no(command, 'Mailbox was deleted under us');
    }
    expect(await page()).toEqual({ error: 'NOT_FOUND' });
    const { accepted } = server;
    for (let again = 0; again < 5; again += 1) expect(await page()).toEqual({ error: 'NOT_FOUND' });
    expect(server.accepted).toBe(accepted);
  });

  it('counts the folder that is there', async () => {
    const folder = new ScriptedFolder(3);
    const { page, counts, server } = await oddVisitor(folder, 'QRESYNC');
    await page();
    const [messages = 0, unseen = 0] = await counts();
    folder.arrive();
    staleFrom(['STATUS'], server.on);
    expect(await counts()).toEqual([messages + 1, unseen + 1]);
  });
});
