import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Broker } from '../../src/broker/broker.js';
import { type Client, createClient } from '../../src/client/index.js';
import { Dovecot, newUser, PASSWORD } from '../support/dovecot.js';
import { deterministicBytes, message } from '../support/mail.js';
import { freePorts } from '../support/ports.js';
import { type BrokerPorts, RunningProxy } from '../support/proxy.js';
import { runBroker, TOKEN } from '../support/running-broker.js';

const SHARDS = 32;
const USERS = 24;

let dovecot: Dovecot;
let folder: string;
let proxy: RunningProxy | undefined;
let port: number;
let ports: BrokerPorts[];
let brokers: (Broker | undefined)[];
let clients: Client[];

beforeAll(async () => {
  dovecot = await Dovecot.start();
});
afterAll(() => dovecot.stop());
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'imap-broker-scale-'));
  const [own = 0, ...rest] = await freePorts(7);
  port = own;
  ports = [0, 1, 2].map((index) => ({ port: rest[2 * index] ?? 0, monitorPort: rest[2 * index + 1] ?? 0 }));
  brokers = [undefined, undefined, undefined];
  clients = [];
});
afterEach(async () => {
  for (const client of clients) client.close();
  await Promise.all(brokers.map((broker) => broker?.stop()));
  await proxy?.stop();
  proxy = undefined;
  rmSync(folder, { recursive: true, force: true });
});

/** Starts a broker of the three, with the keys that all of them have. */
async function startBroker(index: number): Promise<void> {
  const { port = 0, monitorPort = 0 } = ports[index] ?? {};
  brokers[index] = await runBroker(dovecot, {
    listeners: [{ host: '127.0.0.1', port }],
    monitor: { host: '127.0.0.1', port: monitorPort },
    sessionFiles: { keyFile: join(folder, 'keys'), createKeys: true },
  });
}

/** A client as a worker of the site has it. */
function worker(): Client {
  const client = createClient({ url: `ws://127.0.0.1:${port}`, token: TOKEN, shards: SHARDS });
  clients.push(client);
  return client;
}

/** Resolves when the proxy lets sockets through to as many brokers. */
async function inService(count: number): Promise<void> {
  const epochs = async () => {
    const found = new Set<string>();
    for (let shard = 0; shard < SHARDS; shard += 1) {
      const client = createClient({ url: `ws://127.0.0.1:${port}/?shard=${shard}`, token: TOKEN });
      found.add((await client.broker.ping()).epoch);
      client.close();
    }
    return found.size;
  };
  await expect.poll(epochs, { timeout: 15_000 }).toBe(count);
}

async function sessionsOf(client: Client): Promise<string[]> {
  const open = () => client.session.open({ server: 'dovecot', user: newUser('scale'), auth: { password: PASSWORD } });
  const opened = await Promise.all(Array.from({ length: USERS }, open));
  return opened.map(({ session }) => session);
}

/** The keys of the accounts that have connections, of each broker. */
function places(): string[][] {
  return brokers.map((broker) => {
    return [...(broker?.registry.accounts ?? [])].filter(({ size }) => size > 0).map(({ key }) => key);
  });
}

/** Users who click without a pause until they are told to stop. */
function clicking(client: Client, sessions: readonly string[]) {
  const failures: unknown[] = [];
  let stopped = false;
  let clicks = 0;
  const users = sessions.map(async (session) => {
    const user = client.withSession(session);
    while (!stopped) {
      await user.message.list({ mailbox: 'INBOX' }).catch((error: unknown) => failures.push(error));
      clicks += 1;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  });
  return {
    failures,
    get clicks() {
      return clicks;
    },
    stop: async () => {
      stopped = true;
      await Promise.all(users);
    },
  };
}

describe('three brokers behind nginx', () => {
  beforeEach(async () => {
    proxy = await RunningProxy.start('nginx', port, ports);
  });

  it('have a user at one broker, whichever worker asks, and all of them have some', async () => {
    await Promise.all([0, 1, 2].map((index) => startBroker(index)));
    await inService(3);
    const sessions = await sessionsOf(worker());
    const workers = [worker(), worker()];
    const clicks = workers.flatMap((client) =>
      sessions.map((session) =>
        client.mailbox.list({ session }).then(() => client.message.list({ session, mailbox: 'INBOX' })),
      ),
    );
    await Promise.all(clicks);
    const all = places();
    expect(all.flat()).toHaveLength(USERS);
    expect(new Set(all.flat()).size).toBe(USERS);
    for (const own of all) expect(own.length).toBeGreaterThan(0);
  }, 30_000);

  it('lose no request while they are restarted one after the other, and no user logs in again', async () => {
    await Promise.all([0, 1, 2].map((index) => startBroker(index)));
    await inService(3);
    const client = worker();
    const load = clicking(client, await sessionsOf(client));
    for (const index of [0, 1, 2]) {
      await brokers[index]?.drain(5_000);
      await startBroker(index);
      await inService(3);
    }
    await load.stop();
    expect(load.failures).toEqual([]);
    expect(load.clicks).toBeGreaterThan(USERS);
  }, 60_000);
});

describe('three brokers behind HAProxy', () => {
  beforeEach(async () => {
    proxy = await RunningProxy.start('HAProxy', port, ports);
  });

  it('keep a socket while its broker drains, until what runs on it is done', async () => {
    await startBroker(0);
    await inService(1);
    const client = worker();
    const [session = ''] = await sessionsOf(client);
    const user = client.withSession(session);
    const content = new Uint8Array(
      message({ attachments: [{ filename: 'big.bin', content: deterministicBytes(3 * 1024 * 1024) }] }),
    );
    const { uid, uidValidity } = await user.message.append({ mailbox: 'INBOX', content });
    const { body } = await user.message.source({ mailbox: 'INBOX', uid: uid ?? 0, uidValidity: uidValidity ?? 0 });
    const reader = body.getReader();
    let read = (await reader.read()).value?.length ?? 0;
    const drained = brokers[0]?.drain(30_000);
    // Longer than HAProxy needs to find a broker down.
    await new Promise((resolve) => setTimeout(resolve, 4_000));
    for (let next = await reader.read(); !next.done; next = await reader.read()) read += next.value.length;
    expect(read).toBe(content.length);
    await drained;
  }, 30_000);
});
