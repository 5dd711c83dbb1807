import { expect, it, onTestFinished } from 'vitest';
import { ImapConnection } from '../../src/imap/connection/connection.js';
import { NewestInSlot } from '../../src/pool/jobs/newest-in-slot.js';
import { Views } from '../../src/view/views.js';
import type { AccountHandle, MailboxChange } from '../../src/watch/types.js';
import { watcherOf } from '../../src/watch/watcher.js';
import { ScriptedFolder } from '../support/scripted-folder.js';
import { type ScriptedHandler, startScriptedServer } from '../support/scripted-server.js';

const times = { heartbeatMs: 60_000, pollMs: 20, quietMs: 5, retryMs: 5, stayMs: 0 };

/** A watcher at a scripted server, and what it tells. */
async function watcher() {
  const folder = new ScriptedFolder(2);
  const server = await startScriptedServer({ on: folder.handlers() });
  onTestFinished(() => server.close());
  const run: AccountHandle['run'] = async (job, work) => {
    const connection = await ImapConnection.open('1', server.server(), { user: 'alice', password: 'x' });
    job.signal.addEventListener('abort', () => connection.close());
    try {
      return await work(connection, { wanted: new AbortController().signal, extend: () => {} });
    } finally {
      connection.close();
    }
  };
  const told: MailboxChange[] = [];
  const watching = watcherOf(new Views(), times)({ key: 'alice', slots: new NewestInSlot(), run }, (change) =>
    told.push(change),
  );
  onTestFinished(() => watching.close());
  const watch = () => watching.watch(['INBOX'], AbortSignal.timeout(10_000));
  const { SELECT } = server.on;
  const refused = (code: string) =>
    new Promise<void>((resolve) => {
      server.on.SELECT = (command, connection) => {
        connection.no(command, `[${code}] Not now`);
        resolve();
      };
    });
  const accept = () => {
    server.on.SELECT = SELECT as ScriptedHandler;
  };
  return { folder, server, told, watch, refused, accept };
}

it('a folder that is in use when its watch begins is not told as missing', async () => {
  const { watch, refused, accept } = await watcher();
  void refused('INUSE');
  await expect(watch()).rejects.toMatchObject({ kind: 'IMAP_NO', imap: { code: 'INUSE' } });
  accept();
  expect((await watch()).get('INBOX')).toMatchObject({ uidValidity: 1 });
});

it('a folder that is in use for a while is still watched afterwards, and was never told as gone', async () => {
  const { folder, server, told, watch, refused, accept } = await watcher();
  await watch();
  const refusing = refused('INUSE');
  server.cut();
  await refusing;
  folder.arrive();
  accept();
  await expect.poll(() => told.map(({ type }) => type)).toEqual(['new', 'counts']);
});

it('a folder that the user may not read any more is told as gone', async () => {
  const { server, told, watch, refused } = await watcher();
  await watch();
  void refused('NOPERM');
  server.cut();
  await expect.poll(() => told).toEqual([{ type: 'reset', mailbox: 'INBOX' }]);
  expect((await watch()).get('INBOX')).toBeNull();
});
