import { expect, it } from 'vitest';
import { opened, scripted } from './scripted.js';

it.each([
  [1, true],
  [255, true],
  [256, false],
  [100_000, false],
])('a MAILBOXID of %i characters is kept: %s', async (length, kept) => {
  const id = 'F'.repeat(length);
  const server = await scripted({
    on: {
      SELECT: (command, peer) => {
        peer.send(`* OK [MAILBOXID (${id})] Ok`);
        return server.answer(command, peer);
      },
    },
  });
  const connection = await opened(server);
  const { mailboxId, uidValidity } = await connection.select('INBOX');
  expect(mailboxId).toBe(kept ? id : undefined);
  expect(uidValidity).toBe(1);
});
