import { expect, it } from 'vitest';
import { opened, scripted } from './scripted.js';

it('a selected folder is not asked for by STATUS again where the server refuses that with CLIENTBUG', async () => {
  const server = await scripted({
    on: { STATUS: (command, peer) => peer.no(command, '[CLIENTBUG] The folder is selected') },
  });
  const connection = await opened(server);
  await connection.select('INBOX');
  expect([await connection.refresh(), await connection.refresh()]).toEqual([true, true]);
  expect(server.names().filter((name) => name === 'STATUS')).toHaveLength(1);
});
