import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Client, createClient, RpcError, type SessionClient, type WatchEvent } from '../../src/client/index.js';
import { newUser, PASSWORD } from '../support/dovecot.js';
import { message } from '../support/mail.js';
import { TOKEN } from '../support/running-broker.js';
import { Cluster } from './cluster.js';

/** `npm run test:scale` takes longer, with more users. */
const long = process.env.SCALE === 'long';
const USERS = long ? 50 : 12;
const APPENDS_EACH = long ? 10 : 15;
const STOPPED_MS = long ? 20_000 : 14_000;
const CUTS = long ? 30 : 3;
/** What a web application sends again with its key: it does not know what became of it. */
const UNSURE = ['CONNECTION_LOST', 'DRAINING', 'DEADLINE', 'CANCELLED', 'UPSTREAM_UNAVAILABLE'];

interface Visitor {
  user: string;
  mail: SessionClient;
  /** Subjects that the user was told are stored. */
  stored: string[];
  /** Uids of events, and of lists after a resync. */
  seen: Set<number>;
  /** Uids of events since the last resync, as often as they came: another broker may learn of a message later. */
  told: number[];
}

let cluster: Cluster;
let client: Client;
let visitors: Visitor[];
beforeAll(async () => {
  cluster = await Cluster.start();
  for (const index of [0, 1, 2]) await cluster.run(index);
  client = createClient({ url: cluster.url, token: TOKEN, shards: 32 });
  visitors = await Promise.all(Array.from({ length: USERS }, visitor));
}, 60_000);
afterAll(async () => {
  client.close();
  await cluster.stop();
});

async function visitor(): Promise<Visitor> {
  const user = newUser('faults');
  const { session } = await client.session.open({ server: 'dovecot', user, auth: { password: PASSWORD } });
  const mail = client.withSession(session);
  const one: Visitor = { user, mail, stored: [], seen: new Set(), told: [] };
  await mail.watch({
    mailboxes: ['INBOX'],
    onEvent: (event) => note(one, event),
    onResync: async () => {
      one.told.length = 0;
      const { messages } = await mail.message.list({ mailbox: 'INBOX', limit: 100, fields: ['flags'] });
      for (const { uid } of messages) one.seen.add(uid);
    },
  });
  return one;
}

function note({ seen, told }: Visitor, event: WatchEvent): void {
  if (event.type !== 'new') return;
  for (const { uid } of event.messages) {
    seen.add(uid);
    told.push(uid);
  }
}

/** Stores a message as a careful application does: with a key, sent again until there is an answer that says what became of it. */
async function append({ mail, stored }: Visitor, subject: string): Promise<void> {
  const content = new Uint8Array(message({ subject }));
  for (;;) {
    try {
      await mail.message.append({ mailbox: 'INBOX', content, idempotencyKey: subject, timeoutMs: 20_000 });
      stored.push(subject);
      return;
    } catch (error) {
      if (!(error instanceof RpcError) || !UNSURE.includes(error.kind)) throw error;
    }
  }
}

/** All users store messages, each one after the other, while `disturb` does its work. @returns milliseconds of the slowest */
async function appending(what: string, disturb: () => Promise<void>): Promise<number> {
  let slowest = 0;
  const work = visitors.map(async (one) => {
    for (let count = 0; count < APPENDS_EACH; count += 1) {
      const begun = performance.now();
      await append(one, `${what} ${count} of ${one.user}`);
      slowest = Math.max(slowest, performance.now() - begun);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  });
  await new Promise((resolve) => setTimeout(resolve, 200));
  await Promise.all([disturb(), ...work]);
  const appends = visitors.length * APPENDS_EACH;
  process.stdout.write(`${what}: ${appends} keyed appends of ${USERS} users, the slowest ${Math.round(slowest)} ms\n`);
  return slowest;
}

/** Holds what users were told against what the IMAP server has. */
async function verify(): Promise<void> {
  for (const { user, stored, seen, told } of visitors) {
    const fetched = await cluster.dovecot.doveadm('fetch', '-u', user, 'hdr.subject uid', 'mailbox', 'INBOX');
    const subjects = fetched.match(/(?<=^hdr\.subject: ).*$/gm) ?? [];
    expect([...subjects].sort()).toEqual([...stored].sort());
    await expect.poll(() => seen.size, { timeout: 20_000 }).toBe(stored.length);
    expect(told).toHaveLength(new Set(told).size);
  }
}

describe('three brokers of which one fails', () => {
  it('lose and double no keyed append and no event when it is killed, and no user logs in again', async () => {
    const slowest = await appending('killed', async () => {
      await cluster.kill(0);
      await cluster.run(0);
    });
    await verify();
    expect(slowest).toBeLessThan(20_000);
  }, 120_000);

  it('nor when it stands still for longer than a key is held', async () => {
    const slowest = await appending('stopped', async () => {
      cluster.signal(1, 'SIGSTOP');
      await new Promise((resolve) => setTimeout(resolve, STOPPED_MS));
      cluster.signal(1, 'SIGCONT');
    });
    await verify();
    expect(slowest).toBeLessThan(20_000);
  }, 120_000);

  it('nor when the proxy is killed, which cuts all sockets', async () => {
    await appending('cut', async () => {
      for (let cut = 0; cut < CUTS; cut += 1) {
        await cluster.proxy.restart();
        await new Promise((resolve) => setTimeout(resolve, 300));
      }
    });
    await verify();
  }, 120_000);

  it('nor when the store that they share is started again, empty', async () => {
    await appending('store', async () => {
      await cluster.redis.kill();
      await cluster.redis.run();
    });
    await verify();
  }, 60_000);
});
