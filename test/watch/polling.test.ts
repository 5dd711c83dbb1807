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
  await expect.poll(ask, { interval: 1 }).toBeGreaterThan(1);
});

it('folders are caught up with one after the other, so that requests for mail find room beside them', async () => {
  const { watching, watch, jobs } = await scriptedWatcher();
  const mailboxes = Array.from({ length: 20 }, (_, index) => `Folder${index}`);
  await watch(mailboxes);
  jobs.mostAtOnce = 0;
  await watching.catchUp(mailboxes);
  // At most the one that stays at a folder, that folder's own, one for all others, and one of a poll.
  expect(jobs.mostAtOnce).toBeLessThanOrEqual(4);
});
