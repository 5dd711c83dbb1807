import { expect, it, onTestFinished } from 'vitest';
import { Dovecot } from '../support/dovecot.js';
import { promptIdle } from '../support/dovecot-conf.js';
import { RawClient, runBroker } from '../support/running-broker.js';

/** No look at the folders comes about by itself within the test. */
const watchTimes = { heartbeatMs: 600_000, pollMs: 600_000, quietMs: 20, retryMs: 20, stayMs: 1_000 };

it('a server with NOTIFY tells which folders came, went and were subscribed, without a poll', async () => {
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
  const told = () => client.notifications.map(({ params }) => params);
  const other = await dovecot.client(user);
  await other.mailboxCreate('Made elsewhere');
  await expect.poll(told).toContainEqual(expect.objectContaining({ type: 'folders', created: ['Made elsewhere'] }));
  await other.mailboxUnsubscribe('Made elsewhere');
  await expect.poll(told).toContainEqual(expect.objectContaining({ unsubscribed: ['Made elsewhere'] }));
  await other.mailboxDelete('Made elsewhere');
  await expect.poll(told).toContainEqual(expect.objectContaining({ deleted: ['Made elsewhere'] }));
});
