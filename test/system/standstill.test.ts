import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { STANDSTILL_MS } from '../../src/runtime/standstill.js';
import { builtProgram } from '../cli/built.js';
import { append, subjects } from '../support/appends.js';
import { Dovecot, newUser } from '../support/dovecot.js';
import { type Relay, startRelay } from '../support/relay.js';
import type { RawClient } from '../support/running-broker.js';
import { ServedProgram } from '../support/served-program.js';

let dovecot: Dovecot;
beforeAll(async () => {
  builtProgram();
  dovecot = await Dovecot.start();
}, 120_000);
afterAll(() => dovecot.stop());

let relay: Relay;
let served: ServedProgram;
beforeEach(async () => {
  relay = await startRelay(dovecot.plainPort);
  served = new ServedProgram({ plainPort: relay.port });
  onTestFinished(async () => {
    await served.end();
    await relay.close();
  });
  await served.start();
});

/** The process stands still while something is done, and longer than is taken for busy. */
async function standStill(meanwhile: () => void): Promise<void> {
  served.program.child.kill('SIGSTOP');
  meanwhile();
  await sleep(STANDSTILL_MS + 1_000);
  served.program.child.kill('SIGCONT');
}

const closeCode = async (client: RawClient) => (await once(client.ws, 'close'))[0];

describe('a broker that stood still', () => {
  it('executes nothing of what came meanwhile, closes all sockets, and does each of it once when it is repeated', async () => {
    const clients = [await served.connect(), await served.connect()];
    const [client, other] = clients as [RawClient, RawClient];
    const user = newUser('still');
    const session = await client.login(user);
    const keys = Array.from({ length: 30 }, (_, index) => `message-${index}`).sort();
    const closed = clients.map(closeCode);
    await standStill(() => {
      for (const [index, key] of keys.entries()) {
        clients[index % 2]?.request('message.append', append(session, key, index % 3 > 0));
      }
      other.request('mailbox.create', { session, mailbox: 'Never' });
    });
    expect(await Promise.all(closed)).toEqual([4412, 4412]);
    const again = await served.connect();
    const { mailboxes } = await again.call('mailbox.list', { session });
    expect(mailboxes.map(({ name }) => name)).not.toContain('Never');
    expect(await subjects(dovecot, user)).toEqual([]);
    await Promise.all(keys.map((key) => again.call('message.append', append(session, key, true))));
    expect(await subjects(dovecot, user)).toEqual(keys);
    expect(served.program.out + served.program.err).toContain('stood still');
  }, 60_000);

  it('stores nothing for a request that was under way: the answers that came meanwhile count no more', async () => {
    const client = await served.connect();
    const user = newUser('still');
    const session = await client.login(user);
    await client.call('message.list', { session, mailbox: 'INBOX' });
    // The broker looks for the Message-ID before it stores the message; that answer is there when the broker goes on.
    relay.freeze();
    const data = Buffer.from('Subject: looked-for\r\nMessage-ID: <looked-for@example.org>\r\n\r\nHello\r\n').toString(
      'base64',
    );
    const wish = { ...append(session, 'looked-for', true), data, repeat: true };
    const answer = client.request('message.append', wish).answer.catch((error) => error.data?.executed ?? 'closed');
    await client.call('broker.ping', {});
    const closed = closeCode(client);
    await standStill(() => relay.thaw());
    expect(await closed).toBe(4412);
    expect(await answer).toBe('no');
    const again = await served.connect();
    await again.call('mailbox.status', { session, mailboxes: ['INBOX'] });
    expect(await subjects(dovecot, user)).toEqual([]);
    await again.call('message.append', wish);
    expect(await subjects(dovecot, user)).toEqual(['looked-for']);
  }, 60_000);

  it.each(['in the same process', 'after a restart'])(
    'cancels what waited, keyed writes too; repeated %s it is done once',
    async (where) => {
      const client = await served.connect();
      const user = newUser('still');
      const session = await client.login(user);
      // The login of each connection is under way when it stops, and is through when it goes on.
      relay.cut();
      await expect.poll(async () => (await client.call('connection.list', {})).total).toBe(0);
      relay.freeze();
      const keys = Array.from({ length: 10 }, (_, index) => `message-${index}`).sort();
      const answers = keys.map((key) =>
        client.request('message.append', append(session, key, true)).answer.then(
          () => 'done',
          (error) => error.data?.executed ?? 'closed',
        ),
      );
      await client.call('broker.ping', {});
      const closed = closeCode(client);
      await standStill(() => relay.thaw());
      expect(await closed).toBe(4412);
      // Who is still there is told that nothing was done.
      expect(await Promise.all(answers)).toEqual(keys.map(() => 'no'));
      expect(await subjects(dovecot, user)).toEqual([]);
      if (where === 'after a restart') {
        await served.program.stop('SIGKILL');
        await served.start();
      }
      const again = await served.connect();
      await Promise.all(keys.map((key) => again.call('message.append', append(session, key, true))));
      expect(await subjects(dovecot, user)).toEqual(keys);
    },
    60_000,
  );
});
