import { expect, it } from 'vitest';
import { scriptedWatcher } from './scripted-watcher.js';

it('a folder that is in use when its watch begins is not told as missing', async () => {
  const { watch, refused, accept } = await scriptedWatcher();
  void refused('INUSE');
  expect((await watch()).get('INBOX')).toMatchObject({ kind: 'IMAP_NO', imap: { code: 'INUSE' } });
  accept();
  expect((await watch()).get('INBOX')).toMatchObject({ uidValidity: 1 });
});

it('a folder that is in use does not keep another from being watched', async () => {
  const { server, watch } = await scriptedWatcher();
  const { SELECT } = server.on;
  server.on.SELECT = (command, connection) =>
    command.args.includes('Busy') ? connection.no(command, '[INUSE] Not now') : SELECT?.(command, connection);
  const found = await watch(['Busy', 'INBOX']);
  expect(found.get('Busy')).toMatchObject({ kind: 'IMAP_NO', imap: { code: 'INUSE' } });
  expect(found.get('INBOX')).toMatchObject({ uidValidity: 1 });
});

it('a folder that is in use for a while is still watched afterwards, and was never told as gone', async () => {
  const { folder, server, told, watch, refused, accept } = await scriptedWatcher();
  await watch();
  const refusing = refused('INUSE');
  server.cut();
  await refusing;
  folder.arrive();
  accept();
  await expect.poll(() => told.map(({ type }) => type)).toEqual(['new', 'counts']);
});

it('a watch is not alive while its folder is refused, although the server answers', async () => {
  const { server, watching, watch, refused, accept } = await scriptedWatcher();
  await watch();
  await expect.poll(() => watching.alive).toBe(true);
  const refusing = refused('INUSE');
  server.cut();
  await refusing;
  // When the third SELECT is refused, the watch has dealt with the first.
  for (let more = 0; more < 2; more += 1) await refused('INUSE');
  expect(watching.alive).toBe(false);
  accept();
  await expect.poll(() => watching.alive).toBe(true);
});

it('a folder that the user may not read any more is told as gone', async () => {
  const { server, told, watch, refused } = await scriptedWatcher();
  await watch();
  void refused('NOPERM');
  server.cut();
  await expect.poll(() => told).toEqual([{ type: 'reset', mailbox: 'INBOX' }]);
  expect((await watch()).get('INBOX')).toBeNull();
});
