import { expect, it, onTestFinished } from 'vitest';
import { messageWriteHandlers } from '../../../src/methods/message-write.js';
import { directAccount, handlerContext } from '../../support/handler-context.js';
import { startScriptedServer } from '../../support/scripted-server.js';

const { 'message.flag': flag } = messageWriteHandlers;

it('flags that a server tells without end cost it its connection', async () => {
  const told = `* 1 FETCH (UID 1 FLAGS (${'x'.repeat(1024 * 1024)}))`;
  const server = await startScriptedServer({
    exists: 1,
    on: {
      'UID STORE': (command, client) =>
        client.send(...Array.from({ length: 70 }, () => told), `${command.tag} OK Done`),
    },
  });
  onTestFinished(() => server.close());
  const account = await directAccount(server.server(), { user: 'alice', password: 'x' });
  onTestFinished(() => account.close());
  await account.connection.select('INBOX');
  const context = handlerContext('message.flag', account);
  const folder = { session: 's', mailbox: 'INBOX', uidValidity: 1 };
  const flagged = flag(context, { ...folder, uids: [1], action: 'add', flags: ['\\Seen'] });
  await expect(flagged).rejects.toMatchObject({ kind: 'TOO_LARGE' });
  expect(account.connection.usable).toBe(false);
});
