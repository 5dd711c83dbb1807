import { expect, it, onTestFinished } from 'vitest';
import { Dovecot } from '../support/dovecot.js';
import { promptIdle } from '../support/dovecot-conf.js';
import { RawClient, runBroker } from '../support/running-broker.js';

/** No look at the folders comes about by itself within the test. */
const watchTimes = { heartbeatMs: 600_000, pollMs: 600_000, quietMs: 20, retryMs: 20, stayMs: 1_000 };

it('a server with NOTIFY tells of the folders that others make, without a poll', async () => {
  const dovecot = await Dovecot.start({ settings: promptIdle });
  const broker = await runBroker(dovecot, { watchTimes });
  const client = await RawClient.open(broker.url);
  onTestFinished(async () => {
    await client.close();
    await broker.stop();
    await dovecot.stop();
  });
  const user = dovecot.user();
  const session = await client.login(user);
  await client.call('watch.start', { session, mailboxes: ['INBOX', 'Sent'], folders: true });
  const other = await dovecot.client(user);
  const made: string[] = [];
  const told = () => client.notifications.flatMap(({ params }) => params.created as string[] | undefined);
  // Dovecot now and then misses one: so another follows, of which it may tell.
  const makeAnother = async () => {
    made.push(`Made elsewhere ${made.length}`);
    await other.mailboxCreate(made.at(-1) ?? '');
    return told();
  };
  await expect.poll(makeAnother, { interval: 300 }).toEqual(expect.arrayContaining(['Made elsewhere 0']));
});
