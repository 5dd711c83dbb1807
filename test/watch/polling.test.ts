import { expect, it } from 'vitest';
import { scriptedWatcher } from './scripted-watcher.js';

it('folders at which no connection stays are polled in time, however often watches are asked for', async () => {
  const { server, watch } = await scriptedWatcher();
  const { STATUS } = server.on;
  let polls = 0;
  server.on.STATUS = (command, connection) => {
    // That of a barrier asks for the UIDVALIDITY alone.
    if (command.args.includes('MESSAGES')) polls += 1;
    return STATUS?.(command, connection);
  };
  const ask = async () => {
    await watch(['INBOX', 'Sent']);
    return polls;
  };
  await expect.poll(ask, { interval: 1, timeout: 5_000 }).toBeGreaterThan(1);
});
