import { expect, it } from 'vitest';
import { stampsOf } from '../../src/imap/mailboxes/mailbox-stamp.js';
import { opened, scripted } from './scripted.js';

/** The stamp of a folder whose STATUS says this. */
async function stampFor(status: string) {
  const server = await scripted({
    on: {
      STATUS: (command, peer) => {
        peer.send(`* STATUS Sent (${status})`);
        peer.ok(command);
      },
    },
  });
  return (await stampsOf(await opened(server), ['Sent'])).get('Sent');
}

const STATUS = 'MESSAGES 2 UNSEEN 1 UIDNEXT 3 UIDVALIDITY 1';

it('a stamp is another one where a count or the last digit of a mod-sequence is', async () => {
  const modseq = (digit: number) => `${STATUS} HIGHESTMODSEQ 922337203685477580${digit}`;
  const told = [STATUS, STATUS.replace('UNSEEN 1', 'UNSEEN 2'), modseq(6), modseq(7)];
  const stamps = await Promise.all(told.map(stampFor));
  expect(new Set(stamps.map((stamp) => stamp?.text)).size).toBe(told.length);
  expect(await Promise.all(told.map(stampFor))).toEqual(stamps);
});

it.each([
  [STATUS, false],
  [`${STATUS} HIGHESTMODSEQ 0`, false],
  [`${STATUS} HIGHESTMODSEQ 17`, true],
])('the stamp of %s tells of flags: %s', async (status, complete) => {
  expect(await stampFor(status)).toMatchObject({ complete });
});

it.each([
  ['a long value', `${STATUS} X-LONG ${'x'.repeat(250_000)}`],
  ['many values', `${STATUS}${' X 1'.repeat(9_000)}`],
])('a stamp is short where the server tells %s', async (_what, status) => {
  expect((await stampFor(status))?.text.length).toBeLessThan(2_000);
});
