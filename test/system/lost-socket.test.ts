import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { builtProgram } from '../cli/built.js';
import { append, subjects } from '../support/appends.js';
import { Dovecot, newUser } from '../support/dovecot.js';
import { type Relay, startRelay } from '../support/relay.js';
import { RawClient, runBroker } from '../support/running-broker.js';
import { ServedProgram } from '../support/served-program.js';
import { upstream } from '../support/upstream.js';

let dovecot: Dovecot;
beforeAll(async () => {
  builtProgram();
  dovecot = await Dovecot.start();
}, 120_000);
afterAll(() => dovecot.stop());

/** A broker whose way to the IMAP server a test can freeze. */
async function serve() {
  const relay = await startRelay(dovecot.plainPort);
  const server = { ...upstream('dovecot', relay.port), tls: 'none' as const };
  const broker = await runBroker(dovecot, { servers: [server], drainMs: 10_000 });
  const clients: RawClient[] = [];
  onTestFinished(async () => {
    for (const { ws } of clients) ws.terminate();
    await broker.stop();
    await relay.close();
  });
  const connect = async () => {
    const client = await RawClient.open(broker.url);
    clients.push(client);
    return client;
  };
  return { broker, relay, connect };
}

/** Sends a request over a socket that is lost before the answer can come. */
async function lose(relay: Relay, client: RawClient, ...requests: object[]): Promise<void> {
  relay.freeze();
  for (const params of requests) client.request('message.append', params);
  await client.call('broker.ping', {});
  client.ws.terminate();
}

describe('a write with an idempotency key whose socket is lost', () => {
  it('runs on, and its repetition answers its result, while it is under way and afterwards', async () => {
    const { broker, relay, connect } = await serve();
    const client = await connect();
    const user = newUser('lost');
    const session = await client.login(user);
    await lose(relay, client, append(session, 'one'), append(session, 'two'), append(session, 'three'));
    const again = await connect();
    const early = again.call('message.append', append(session, 'one'));
    await again.call('broker.ping', {});
    relay.thaw();
    const { uid } = await early;
    expect(uid).toBeGreaterThan(0);
    for (const key of ['one', 'two', 'three', 'one']) {
      expect((await again.call('message.append', append(session, key))).uid).toBeGreaterThan(0);
    }
    expect((await again.call('message.append', append(session, 'one'))).uid).toBe(uid);
    expect(await subjects(dovecot, user)).toEqual(['one', 'three', 'two']);
    expect(broker.registry.caps.total).toBeGreaterThan(0);
  }, 30_000);

  it('ends at its deadline; what was not done then is done by its repetition', async () => {
    const { broker, relay, connect } = await serve();
    const client = await connect();
    const user = newUser('lost');
    const session = await client.login(user);
    // No connection is left, and none can be had.
    relay.cut();
    await expect.poll(() => broker.registry.caps.total).toBe(0);
    await lose(relay, client, { ...append(session, 'late'), timeoutMs: 300 });
    const again = await connect();
    await expect.poll(() => [...broker.registry.accounts].map(({ waiting }) => waiting.length)).toEqual([0]);
    relay.cut();
    relay.thaw();
    await expect
      .poll(() =>
        again.call('message.append', append(session, 'late')).then(
          ({ uid }) => typeof uid,
          (error) => error.data.kind,
        ),
      )
      .toBe('number');
    expect(await subjects(dovecot, user)).toEqual(['late']);
  }, 30_000);

  it('without a key, or with one that its caller cancels, it is cancelled as ever', async () => {
    const { relay, connect, broker } = await serve();
    const client = await connect();
    const user = newUser('lost');
    const session = await client.login(user);
    await client.call('mailbox.list', { session });
    relay.cut();
    await expect.poll(() => broker.registry.caps.total).toBe(0);
    relay.freeze();
    const { id, answer } = client.request('message.append', append(session, 'cancelled'));
    client.notify('$/cancelRequest', { id });
    await expect(answer).rejects.toMatchObject({ data: { kind: 'CANCELLED', executed: 'no' } });
    await lose(relay, client, append(session, 'plain', false));
    await expect.poll(() => [...broker.registry.accounts].map(({ waiting }) => waiting.length)).toEqual([0]);
    relay.cut();
    relay.thaw();
    expect(await subjects(dovecot, user)).toEqual([]);
  }, 30_000);

  it('is waited for by a drain', async () => {
    const { broker, relay, connect } = await serve();
    const client = await connect();
    const user = newUser('lost');
    const session = await client.login(user);
    await lose(relay, client, append(session, 'drained'));
    const drained = broker.drain(10_000);
    relay.thaw();
    await drained;
    expect(await subjects(dovecot, user)).toEqual(['drained']);
  }, 30_000);

  it('over a restart: a broker that is told to stop finishes it first, and the next one answers its repetition', async () => {
    const relay = await startRelay(dovecot.plainPort);
    const served = new ServedProgram({ plainPort: relay.port });
    onTestFinished(async () => {
      await served.end();
      await relay.close();
    });
    await served.start();
    const client = await served.connect();
    const user = newUser('lost');
    const session = await client.login(user);
    await lose(relay, client, append(session, 'stopped'));
    const stopped = served.program.stop('SIGTERM');
    await served.program.printed(/drain|stop/i);
    relay.thaw();
    expect(await stopped).toBe(0);
    expect(await subjects(dovecot, user)).toEqual(['stopped']);
    await served.start();
    const again = await served.connect();
    const { messages } = await again.call('message.list', { session, mailbox: 'INBOX' });
    const answer = await again.call('message.append', append(session, 'stopped'));
    expect(messages).toMatchObject([{ uid: answer.uid }]);
    await expect(
      again.call('message.append', { ...append(session, 'stopped'), mailbox: 'Other' }),
    ).rejects.toMatchObject({
      data: { kind: 'IDEMPOTENCY_MISMATCH' },
    });
    expect(await subjects(dovecot, user)).toEqual(['stopped']);
    // What is kept tells nothing to a reader of the file.
    const kept = readFileSync(join(served.folder, 'outcomes.sealed'), 'latin1');
    for (const part of kept.split('.')) {
      expect(Buffer.from(part, 'base64url').toString('latin1')).not.toMatch(new RegExp(`INBOX|webmail|${user}`));
    }
  }, 60_000);
});
