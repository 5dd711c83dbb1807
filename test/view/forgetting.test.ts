import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { Broker } from '../../src/broker/broker.js';
import { tenantWith } from '../../src/session/tenant.js';
import { hashToken } from '../../src/session/tenants.js';
import type { ViewLimits } from '../../src/view/views.js';
import { Dovecot, newUser } from '../support/dovecot.js';
import { message } from '../support/mail.js';
import { startRelay } from '../support/relay.js';
import { RawClient, runBroker, TOKEN } from '../support/running-broker.js';
import { startTappedRelay } from '../support/tapped-relay.js';
import { upstream } from '../support/upstream.js';

const ADMIN = 'operator-token';
const COUNT = 5;

let dovecot: Dovecot;
beforeAll(async () => {
  dovecot = await Dovecot.start();
});
afterAll(() => dovecot.stop());

/** A user with mail behind a broker whose commands can be listened to, and whose answers can be held back. */
async function reading(views: Partial<ViewLimits> = {}) {
  const user = newUser('forgotten');
  const mails = Array.from({ length: COUNT }, (_, index) => message({ subject: `Mail ${index}`, text: 'Hello' }));
  await dovecot.deliver(user, 'INBOX', mails);
  let listener: (line: string) => void = () => {};
  const network = await startRelay(dovecot.plainPort);
  const relay = await startTappedRelay(network.port, (line) => listener(line));
  const broker: Broker & { url: string } = await runBroker(dovecot, {
    servers: [upstream('dovecot', relay.port, { tls: 'none' })],
    tenants: [
      tenantWith({ name: 'webmail', tokenHashes: [hashToken(TOKEN)] }),
      tenantWith({ name: 'operator', tokenHashes: [hashToken(ADMIN)], scopes: ['admin'] }),
    ],
    views,
    checkResults: true,
  });
  const client = await RawClient.open(broker.url);
  const session = await client.login(user);
  onTestFinished(async () => {
    await client.close();
    await broker.stop();
    await relay.close();
    await network.close();
  });
  const uids = Array.from({ length: COUNT }, (_, index) => index + 1);
  const { uidValidity } = await client.call('message.list', { session, mailbox: 'INBOX', limit: 1 });
  return {
    user,
    broker,
    client,
    session,
    network,
    list: (maxAgeMs = 0) => client.call('message.list', { session, mailbox: 'INBOX', maxAgeMs }),
    get: (asked = uids) => client.call('message.get', { session, mailbox: 'INBOX', uidValidity, uids: asked }),
    changes: (since: string) => client.call('mailbox.changes', { session, mailbox: 'INBOX', since }),
    /** Calls back with each command of the broker, before it gets to the server. */
    onCommand: (next: (line: string) => void) => {
      listener = next;
    },
    /** Resolves when the next fetch was sent; the server gets and says nothing then until the network is thawed. */
    fetching: () =>
      new Promise<void>((resolve) => {
        listener = (line) => {
          if (!/FETCH/.test(line)) return;
          network.freeze();
          resolve();
        };
      }),
  };
}

describe('when the last session of an account has ended', () => {
  it('nothing of its mail is kept', async () => {
    const { broker, client, session, list, get } = await reading();
    await list();
    await get();
    expect(broker.views.entries).toBe(1 + COUNT);
    expect(broker.views.bytes).toBeGreaterThan(0);
    await client.call('session.close', { session });
    expect([broker.views.entries, broker.views.bytes]).toEqual([0, 0]);
  });

  it('all is kept while there is another session of the account', async () => {
    const { broker, client, user, session, get } = await reading();
    await get();
    const other = await client.login(user);
    await client.call('session.close', { session });
    expect(broker.views.entries).toBe(1 + COUNT);
    await client.call('session.close', { session: other });
    expect([broker.views.entries, broker.views.bytes]).toEqual([0, 0]);
  });

  it('by an operator, nothing of its mail is kept either', async () => {
    const { broker, user, list, get } = await reading();
    await list();
    await get();
    const operator = await RawClient.open(broker.url, ADMIN);
    await operator.call('session.revoke', { tenant: 'webmail', user });
    expect([broker.views.entries, broker.views.bytes]).toEqual([0, 0]);
    await operator.close();
  });

  it.each(['list', 'get'] as const)('nothing is kept of what was under way: %s', async (method) => {
    const { broker, client, session, network, fetching, ...ask } = await reading();
    const fetched = fetching();
    const answer = ask[method]();
    await fetched;
    await client.call('session.close', { session });
    network.thaw();
    expect((await answer).messages).toHaveLength(COUNT);
    expect([broker.views.entries, broker.views.bytes]).toEqual([0, 0]);
  });
});

describe('what is forgotten while it is read', () => {
  it('is answered all the same, whichever command is under way', async () => {
    const { broker, list, get, changes, onCommand } = await reading();
    const { state } = await list();
    const [messages, opened] = [(await list()).messages, (await get()).messages];
    // A NOOP is sent while the folder is known, the others when it is not.
    for (const forgetsAt of [/NOOP/, /SELECT|EXAMINE/, /FETCH/, /./]) {
      let times = 0;
      if (forgetsAt.source !== 'NOOP') broker.views.shed(0);
      onCommand((line) => {
        if (!forgetsAt.test(line)) return;
        times += 1;
        broker.views.shed(0);
      });
      for (let round = 0; round < 2; round += 1) {
        const answers = await Promise.all([list(), get(), changes(state ?? '')]);
        expect(answers[0].messages).toEqual(messages);
        expect(answers[1].messages).toEqual(opened);
        expect(answers[2]).toMatchObject({ total: COUNT, uidValidity: answers[0].uidValidity });
        expect((await get()).messages).toEqual(opened);
      }
      expect(times, String(forgetsAt)).toBeGreaterThan(0);
    }
  });

  it('loses none of its messages that were opened before, while others are fetched for the same answer', async () => {
    const { broker, get, onCommand } = await reading();
    const { messages } = await get();
    for (const asked of [[1], [1, 99], [99, 1], [1, 2, 3], [1, 2, 3, 99]]) {
      broker.views.shed(0);
      await get(asked.filter((uid) => uid < 3));
      onCommand((line) => /FETCH .*BODYSTRUCTURE/.test(line) && broker.views.shed(0));
      const answer = await get(asked);
      onCommand(() => {});
      expect(answer.notFound).toEqual(asked.filter((uid) => uid > COUNT));
      expect(answer.messages).toEqual(messages.filter(({ uid }) => asked.includes(uid)));
    }
  });

  it('is read anew for the next who asks', async () => {
    const { broker, list } = await reading();
    await list();
    expect((await list(60_000)).meta.source).toBe('cache');
    broker.views.shed(0);
    expect((await list(60_000)).meta.source).toBe('server');
  });
});

describe('where the configuration keeps no bodies', () => {
  it('an opened message is fetched again', async () => {
    const { broker, get } = await reading({ bodyBytes: 0 });
    const first = await get();
    expect(await get()).toMatchObject({ messages: first.messages, meta: { source: 'server' } });
    expect(broker.views.entries).toBe(1);
  });

  it('where it does, the server is asked for the barrier alone, though no list has shown the message', async () => {
    const { get, onCommand } = await reading();
    const first = await get();
    const commands: string[] = [];
    onCommand((line) => commands.push(line.split(' ')[1] ?? ''));
    expect(await get()).toMatchObject({ messages: first.messages });
    expect(commands).toEqual(['NOOP']);
  });
});
