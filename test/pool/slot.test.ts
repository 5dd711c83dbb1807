import { describe, expect, it } from 'vitest';
import type { Account } from '../../src/pool/account.js';
import { BrokerError } from '../../src/protocol/errors.js';
import { upstream } from '../support/upstream.js';
import { FakeServers } from './fake-server.js';
import { held, job, proven, registryWith } from './fixtures.js';

const server = upstream('fake', 1, { tls: 'none', secureContext: undefined });
const superseded = { kind: 'SUPERSEDED', code: -32800, executed: 'no' };

/** An account whose only connection is busy until it is told otherwise. */
async function busy(queuePerAccount = 100) {
  const registry = registryWith({ connectionsPerAccount: 1, queuePerAccount }, new FakeServers().connect);
  const account = await proven(registry, server);
  const { work, begun, end } = held();
  const running = account.run(job({ slot: 'first' }), work);
  await begun;
  return { account, release: end, running };
}

const share = (account: Account, key: string, slot?: string) =>
  account.share(key, job({ slot }), async () => key, { maxAgeMs: 0 });

describe('a newer request of the same slot', () => {
  it('ends the older one that is queued, and takes its place in a full queue', async () => {
    const { account, release, running } = await busy(1);
    const older = account.run(job({ slot: 'list' }), async () => 'older');
    const newer = account.run(job({ slot: 'list' }), async () => 'newer');
    await expect(older).rejects.toMatchObject(superseded);
    release();
    expect(await newer).toBe('newer');
    await running;
  });

  it('leaves alone what runs, what has another slot and what has none', async () => {
    const { account, release, running } = await busy();
    const others = [undefined, 'other', 'first'].map((slot) => account.run(job({ slot }), async () => slot));
    release();
    expect(await Promise.all(others)).toEqual([undefined, 'other', 'first']);
    await running;
  });

  it('leaves alone a read that is repeated after its connection was lost', async () => {
    const account = await proven(registryWith({ connectionsPerAccount: 1 }, new FakeServers().connect), server);
    let newer: Promise<unknown> | undefined;
    let attempts = 0;
    const repeated = account.run(job({ slot: 'list' }), async (connection) => {
      attempts += 1;
      if (attempts > 1) return 'repeated';
      connection.close();
      newer = Promise.resolve().then(() => account.run(job({ slot: 'list' }), async () => 'newer'));
      throw new BrokerError('CONNECTION_LOST', 'lost');
    });
    expect(await repeated).toBe('repeated');
    expect(await newer).toBe('newer');
  });

  it('takes from a shared read only the request of that slot', async () => {
    const { account, release, running } = await busy();
    const older = share(account, 'page 1', 'list');
    const elsewhere = share(account, 'page 1');
    const newer = share(account, 'page 2', 'list');
    await expect(older).rejects.toMatchObject(superseded);
    release();
    expect(await elsewhere).toEqual({ value: 'page 1', coalesced: true });
    expect(await newer).toEqual({ value: 'page 2', coalesced: false });
    await running;
  });

  it('that asks for the same shares the read of the older one, which ends all the same', async () => {
    const { account, release, running } = await busy();
    const older = share(account, 'page 1', 'list');
    const newer = share(account, 'page 1', 'list');
    await expect(older).rejects.toMatchObject(superseded);
    expect(account.stats.waiting).toBe(1);
    release();
    expect(await newer).toEqual({ value: 'page 1', coalesced: true });
    await running;
  });
});
