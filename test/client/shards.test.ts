import { hash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createClient } from '../../src/client/index.js';
import { digitsOfToken, shardOf, shardText } from '../../src/protocol/shard.js';
import { KeyRing } from '../../src/session/key-ring.js';
import { seal } from '../../src/session/seal.js';
import { HostileBroker } from '../support/hostile-broker.js';

/** Rows of the table in docs/protocol.md. */
function examples(): { server: string; user: string; text: string; digits: string; shard: number }[] {
  const document = readFileSync(new URL('../../docs/protocol.md', import.meta.url), 'utf8');
  const row = /^\| (\S+) +\| (\S+) +\| `(\[.*\])` *\| ([0-9a-f]{8}) \| (\d+) +\|$/gm;
  return [...document.matchAll(row)].map(([, server = '', user = '', text = '', digits = '', shard]) => {
    return { server, user, text, digits, shard: Number(shard) };
  });
}

async function tokenOf(server: string, user: string): Promise<string> {
  const now = Date.now();
  const times = { openedAt: now, expiresAt: now + 1_000, endsAt: now + 1_000 };
  const rest = {
    id: 'i',
    tenant: 't',
    accountKey: '',
    secret: { password: 'p' },
    line: '',
    generation: 0,
    renewals: 0,
  };
  return await seal(KeyRing.ephemeral().newest, { server, user, ...rest, ...times });
}

describe('the shard of a user', () => {
  it('is what the table of the docs says, in the client and in the token', async () => {
    expect(examples()).toHaveLength(7);
    for (const { server, user, text, digits, shard } of examples()) {
      expect(shardText(server, user)).toBe(text);
      expect(hash('sha256', text, 'hex').slice(0, 8)).toBe(digits);
      expect(digitsOfToken(await tokenOf(server, user))).toBe(digits);
      expect(shardOf(digits, 32)).toBe(shard);
    }
  });

  it('is not in a token that is none, or has other digits', () => {
    const made = (header: unknown) => `${Buffer.from(JSON.stringify(header)).toString('base64url')}.x.x.x.x`;
    const wrong = [
      {},
      { shard: 7 },
      { shard: 'ec7c940' },
      { shard: 'EC7C9409' },
      { shard: '../../etc' },
      null,
      'shard',
    ];
    for (const header of wrong) expect(digitsOfToken(made(header))).toBeUndefined();
    for (const token of ['', '.', 'ä', 'a.b', '{}', '%%%']) expect(digitsOfToken(token)).toBeUndefined();
    expect(digitsOfToken(made({ shard: 'ec7c9409' }))).toBe('ec7c9409');
  });
});

describe('a client with shards', () => {
  /** A broker that keeps the URL of each socket, and a client of it. */
  async function sharded(shards: number, query = '') {
    const broker = await HostileBroker.start();
    const client = createClient({ url: `${broker.url}${query}`, token: 't', shards });
    onTestFinished(() => client.close());
    return { client, urls: () => broker.sockets.map((socket) => socket.url).sort() };
  }

  it('opens one socket for each shard in use, and sends what concerns a user on that of the user', async () => {
    const { client, urls } = await sharded(32);
    const users = examples().filter(({ server }) => server === 'main');
    await Promise.all(
      users.map(async ({ server, user }) => {
        const session = await tokenOf(server, user);
        await client.session.open({ server, user, auth: { password: 'p' } }).catch(() => {});
        await client.mailbox.create({ session, mailbox: 'a' });
        const bound = client.withSession(session);
        await bound.mailbox.create({ mailbox: 'a' });
        const watch = await bound.watch({ mailboxes: ['INBOX'], onEvent: () => {}, onResync: () => {} });
        await watch.close();
      }),
    );
    expect(urls()).toEqual(users.map(({ shard }) => `/?shard=${shard}`).sort());
  });

  it('keeps the query of its URL, and sends what concerns no user on a socket of its own shards', async () => {
    const { client, urls } = await sharded(4, '/?zone=a');
    await client.broker.ping();
    expect(urls()).toEqual(['/?zone=a&shard=0']);
  });

  it('sends a token that tells no shard to the broker, which judges it', async () => {
    const { client, urls } = await sharded(4);
    await client.mailbox.create({ session: 'nonsense', mailbox: 'a' });
    expect(urls()).toEqual(['/?shard=0']);
  });

  it('counts what is under way on all sockets', async () => {
    const { client } = await sharded(32);
    const limited = createClient({ url: 'ws://127.0.0.1:9', token: 't', shards: 32, maxPending: 2, timeoutMs: 500 });
    onTestFinished(() => limited.close());
    const calls = await Promise.allSettled(
      examples().map(async ({ server, user }) =>
        limited.mailbox.create({ session: await tokenOf(server, user), mailbox: 'a' }),
      ),
    );
    const kinds = calls.map((call) => call.status === 'rejected' && (call.reason as { kind: string }).kind);
    expect(kinds.filter((kind) => kind === 'RATE_LIMITED')).toHaveLength(examples().length - 2);
    client.close();
  });

  it('is refused where the number of shards or the URL makes no sense', () => {
    for (const shards of [0, -1, 1.5, 1_025, Number.NaN]) {
      expect(() => createClient({ url: 'ws://127.0.0.1:9', shards })).toThrow(`shards: ${shards} is no whole number`);
    }
    expect(() => createClient({ url: 'ws://127.0.0.1:9/?shard=3', shards: 4 })).toThrow('url: it names a shard');
  });

  it('rejects what is called after it was closed', async () => {
    const { client } = await sharded(4);
    client.close();
    await expect(client.broker.ping()).rejects.toMatchObject({ kind: 'CANCELLED' });
  });
});
