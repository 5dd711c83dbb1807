import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { BrokerOptions } from '../../src/broker/options.js';
import { tenantWith } from '../../src/session/tenant.js';
import { hashToken } from '../../src/session/tenants.js';
import { Dovecot, newUser } from '../support/dovecot.js';
import { FakeWatchers } from '../support/fake-watcher.js';
import { message } from '../support/mail.js';
import { startRelay } from '../support/relay.js';
import { RawClient, runBroker, TOKEN } from '../support/running-broker.js';

let dovecot: Dovecot;
beforeAll(async () => {
  dovecot = await Dovecot.start();
});
afterAll(() => dovecot.stop());

async function start(overrides: Partial<BrokerOptions> = {}) {
  const tenants = [
    tenantWith({ name: 'webmail', tokenHashes: [hashToken(TOKEN)] }),
    tenantWith({ name: 'helpdesk', tokenHashes: [hashToken('operator')], scopes: ['user', 'admin'] }),
  ];
  const broker = await runBroker(dovecot, { tenants, ...overrides });
  const connect = async (token?: string) => {
    const client = await RawClient.open(broker.url, token);
    onTestFinished(() => client.close());
    return client;
  };
  onTestFinished(() => broker.stop());
  return { broker, connect };
}

const told = (client: RawClient, method: string) => client.notifications.filter((one) => one.method === method);
const until = (client: RawClient, method: string) =>
  expect.poll(() => told(client, method).length, { interval: 5 }).toBeGreaterThan(0);

describe('a watch and its session', () => {
  it('end together when it is the last of the account, whichever socket closes it', async () => {
    const watchers = new FakeWatchers();
    const { connect } = await start({ startWatcher: watchers.start });
    const [watching, other] = [await connect(), await connect()];
    const user = newUser();
    const [session, second] = [await other.login(user), await other.login(user)];
    const { topic, epoch } = await watching.call('watch.start', { session, mailboxes: ['INBOX'] });
    await other.call('session.close', { session });
    expect(watchers.live).toHaveLength(1);
    await other.call('session.close', { session: second });
    await until(watching, 'watch.ended');
    expect(told(watching, 'watch.ended').map(({ params }) => params)).toEqual([{ topic, epoch }]);
    expect(watchers.live).toHaveLength(0);
  });

  it('end when it is revoked', async () => {
    const watchers = new FakeWatchers();
    const { connect } = await start({ startWatcher: watchers.start });
    const [watching, operator] = [await connect(), await connect('operator')];
    const session = await watching.login(newUser());
    await watching.call('watch.start', { session, mailboxes: ['INBOX'] });
    await operator.call('session.revoke', { tenant: 'webmail' });
    await until(watching, 'watch.ended');
    expect(watchers.live).toHaveLength(0);
  });

  it('end when its time is over', async () => {
    const watchers = new FakeWatchers();
    const { connect } = await start({ startWatcher: watchers.start, sessions: { ttlMs: 1000 } });
    const watching = await connect();
    const session = await watching.login(newUser());
    await watching.call('watch.start', { session, mailboxes: ['INBOX'] });
    await until(watching, 'watch.ended');
    expect(watchers.live).toHaveLength(0);
  });
});

describe('a broker that drains', () => {
  it('ends its watchers, so that they hold no connection up', async () => {
    const watchers = new FakeWatchers();
    const { connect, broker } = await start({ startWatcher: watchers.start });
    const watching = await connect();
    const session = await watching.login(newUser());
    await watching.call('watch.start', { session, mailboxes: ['INBOX'] });
    await broker.drain(5000);
    expect(watchers.live).toHaveLength(0);
    expect(watchers.started).toHaveLength(1);
  });
});

describe('a socket that comes from another broker', () => {
  it('is not told again of messages that it lists after it was asked to', async () => {
    const { connect } = await start();
    const [watching, coming] = [await connect(), await connect()];
    const user = newUser();
    const session = await watching.login(user);
    await watching.call('mailbox.create', { session, mailbox: 'Polled' });
    const mailboxes = ['INBOX', 'Polled'];
    await watching.call('watch.start', { session, mailboxes });
    // The watch polls this folder, and so does not know of the message yet.
    await dovecot.deliver(user, 'Polled', [message({ subject: 'x' })]);
    const resumed = await coming.call('events.resume', { session, epoch: 'another', after: 7, mailboxes });
    expect(resumed.resync).toBe(true);
    expect(await coming.call('message.list', { session, mailbox: 'Polled' })).toMatchObject({ total: 1 });
    await dovecot.deliver(user, 'Polled', [message({ subject: 'y' })]);
    await coming.call('message.list', { session, mailbox: 'Polled' });
    const news = () => told(coming, 'event').filter(({ params }) => (params as { type: string }).type === 'new');
    await expect.poll(news).not.toEqual([]);
    expect(news()).toEqual([
      expect.objectContaining({ params: expect.objectContaining({ messages: [expect.objectContaining({ uid: 2 })] }) }),
    ]);
  });
});

describe('a socket that comes from another broker while the server is silent', () => {
  it('has its answer within seconds', async () => {
    const relay = await startRelay(dovecot.plainPort);
    onTestFinished(() => relay.close());
    const { connect } = await start({ servers: [{ ...dovecot.server(), port: relay.port, tls: 'none' }] });
    const [watching, coming] = [await connect(), await connect()];
    const session = await watching.login(newUser());
    await watching.call('mailbox.create', { session, mailbox: 'Polled' });
    const mailboxes = ['INBOX', 'Polled'];
    await watching.call('watch.start', { session, mailboxes });
    relay.freeze();
    const wish = { session, epoch: 'another', after: 7, mailboxes, timeoutMs: 12_000 };
    expect((await coming.call('events.resume', wish)).resync).toBe(true);
  });
});

describe("the broker's own watcher", () => {
  it('tells of what others and the broker itself have done', async () => {
    const { connect, broker } = await start();
    const watching = await connect();
    const user = newUser();
    const session = await watching.login(user);
    await watching.call('mailbox.create', { session, mailbox: 'Work' });
    const wish = { session, mailboxes: ['INBOX', 'Work'] };
    await expect(watching.call('watch.start', { session, mailboxes: ['Nowhere'] })).rejects.toMatchObject({
      data: { kind: 'NOT_FOUND' },
    });
    const begun = await watching.call('watch.start', wish);
    expect(begun.mailboxes.map(({ mailbox }) => mailbox)).toEqual(wish.mailboxes);
    await dovecot.deliver(user, 'INBOX', [message({ subject: 'x' })]);
    await watching.call('mailbox.delete', { session, mailbox: 'Work' });
    await expect.poll(() => told(watching, 'event').length).toBe(3);
    expect(told(watching, 'event').map(({ params }) => params)).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ type: 'new', mailbox: 'INBOX' }),
        expect.objectContaining({ type: 'counts', mailbox: 'INBOX' }),
        expect.objectContaining({ type: 'reset', mailbox: 'Work' }),
      ]),
    );
    expect([...broker.registry.stats.values()].every(({ busy }) => busy === 0)).toBe(true);
  });
});
