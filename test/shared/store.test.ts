import { Writable } from 'node:stream';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createLog } from '../../src/runtime/log/log.js';
import { type End, SharedEnds } from '../../src/shared/ends.js';
import { Redis } from '../../src/shared/redis.js';
import { Shared } from '../../src/shared/shared.js';
import { certificates } from '../support/certificates.js';
import { RedisServer } from '../support/redis.js';

const plain = { seal: async (text: string) => text, unseal: async (text: string) => text };

async function serve(options: { tls?: boolean } = {}): Promise<RedisServer> {
  const server = await RedisServer.start(options);
  onTestFinished(() => server.stop());
  return server;
}

async function connected(options: ConstructorParameters<typeof Redis>[0]): Promise<Redis> {
  const redis = new Redis(options);
  onTestFinished(() => redis.close());
  redis.open();
  await expect.poll(() => redis.up).toBe(true);
  return redis;
}

/** A store as a broker has it, and the problems that its log tells. */
function shared(url: string) {
  const problems: unknown[] = [];
  const log = createLog(
    'warn',
    new Writable({
      write(line: Buffer, _encoding, done) {
        problems.push((JSON.parse(line.toString()) as { problem?: unknown }).problem);
        done();
      },
    }),
  );
  const store = new Shared({ url }, plain, log);
  onTestFinished(() => store.close());
  store.open();
  return { store, problems };
}

describe('a store', () => {
  it('is reached by TLS with the authority of its certificate, and not without', async () => {
    const server = await serve({ tls: true });
    const redis = await connected({ url: server.url, ca: certificates().ca });
    expect(await redis.send(['PING'])).toBe('PONG');
    const { store, problems } = shared(server.url);
    await expect.poll(() => problems).toEqual([expect.stringMatching(/certificate/)]);
    expect(store.up).toBe(false);
  });

  it('that is not there, or refuses the password, is told once with the reason, and is reached when that is mended', async () => {
    const server = await serve();
    const gone = shared('redis://127.0.0.1:1');
    await expect.poll(() => gone.problems).toEqual([expect.stringMatching(/ECONNREFUSED/)]);
    const { store, problems } = shared(server.url.replace(server.password, 'wrong'));
    await expect.poll(() => problems).toEqual([expect.stringMatching(/WRONGPASS/)]);
    const operator = await connected({ url: server.url });
    await operator.send(['CONFIG', 'SET', 'requirepass', 'wrong']);
    await expect.poll(() => store.up).toBe(true);
    expect(gone.problems).toHaveLength(1);
  });

  it('that holds what no broker wrote costs nothing but that', async () => {
    const server = await serve();
    const [redis, reader, writer] = await Promise.all([1, 2, 3].map(() => connected({ url: server.url })));
    if (!redis || !reader || !writer) throw new Error('no connection');
    const ends = new SharedEnds(redis, reader);
    onTestFinished(() => ends.close());
    const told: End[] = [];
    ends.ended.add((ended) => told.push(ended));
    // The stream is read as soon as the reader has its connection, as it has here before it was listened to.
    reader.ups.tell(true);
    await expect.poll(async () => String(await writer.send(['CLIENT', 'LIST']))).toContain('cmd=xread');
    const good = { id: 'one', tenant: 't', at: 1, until: 2, by: 'another' };
    const values = [
      '',
      '0',
      'null',
      '{',
      '[]',
      '{"id":7}',
      'x'.repeat(1_000_000),
      JSON.stringify({ ...good, at: 'now' }),
    ];
    for (const value of values) {
      await writer.send(['XADD', 'imap-broker:ends', '*', 'end', value]);
      await writer.send(['SET', 'imap-broker:end:session:one', value]);
      expect(await ends.of({ id: 'one', tenant: 't', user: 'u' })).toEqual([]);
    }
    await writer.send(['XADD', 'imap-broker:ends', '*', 'other', 'x']);
    await writer.send(['XADD', 'imap-broker:ends', '*', 'end', JSON.stringify(good)]);
    await expect.poll(() => told).toEqual([{ id: 'one', tenant: 't', at: 1, until: 2 }]);
    await writer.send(['DEL', 'imap-broker:end:session:one']);
    await writer.send(['LPUSH', 'imap-broker:end:session:one', 'a list']);
    expect(await ends.of({ id: 'one', tenant: 't', user: 'u' })).toEqual([]);
  });
});
