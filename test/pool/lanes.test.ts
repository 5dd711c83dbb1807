import { describe, expect, it } from 'vitest';
import type { Account } from '../../src/pool/account.js';
import type { PoolLimits } from '../../src/pool/pool-limits.js';
import { upstream } from '../support/upstream.js';
import { FakeServers } from './fake-server.js';
import { holding, job, proven, registryWith } from './fixtures.js';

const server = upstream('fake', 1, { tls: 'none', secureContext: undefined });
const tick = () => new Promise((resolve) => setImmediate(resolve));

async function account(limits: Partial<PoolLimits>): Promise<Account> {
  return proven(registryWith(limits, new FakeServers().connect), server);
}

/** Downloads that go on until they are told to end; so many of them begin. */
async function downloads(of: Account, asked: number, begins: number) {
  const begun: (() => Promise<void>)[] = [];
  const all = Array.from({ length: asked }, () => holding(of, { lane: 'bulk' }));
  for (const one of all) void one.then(({ end }) => begun.push(end));
  while (begun.length < begins) await tick();
  for (let turn = 0; turn < 10; turn += 1) await tick();
  expect(begun).toHaveLength(begins);
  return {
    end: async () => {
      while (begun.length > 0) await begun.shift()?.();
      for (const one of all) await (await one).end();
    },
  };
}

describe('bulk work', () => {
  it.each([
    [2, 1],
    [3, 2],
    [5, 4],
  ])('of an account with %i connections has %i of them, and a listing is never behind it', async (limit, most) => {
    const one = await account({ connectionsPerAccount: limit });
    const bulk = await downloads(one, limit + 3, most);
    for (let times = 0; times < 3; times += 1) expect(await one.run(job(), async () => 'listed')).toBe('listed');
    expect(one.stats).toMatchObject({ idle: 1, busy: most, waiting: limit + 3 - most });
    await bulk.end();
  });

  it('runs where there can be but one connection, and a listing is next after it', async () => {
    const one = await account({ connectionsPerAccount: 1 });
    const bulk = await downloads(one, 1, 1);
    const order: string[] = [];
    const more = one.run(job({ lane: 'bulk' }), async () => void order.push('bulk'));
    const listing = one.run(job(), async () => void order.push('listing'));
    await bulk.end();
    await Promise.all([more, listing]);
    expect(order).toEqual(['listing', 'bulk']);
  });

  it.each([{ connections: 3 }, { connectionsPerServer: 3 }])(
    'leaves one of those connections that shared caps leave the account: %j',
    async (caps) => {
      const registry = registryWith({ connectionsPerAccount: 3, ...caps }, new FakeServers().connect);
      const other = await proven(registry, server);
      const mine = await holding(other);
      const one = await proven(registry, server);
      const bulk = await downloads(one, 2, 1);
      expect(await one.run(job(), async () => 'listed')).toBe('listed');
      await bulk.end();
      await mine.end();
    },
  );

  it('has another connection as soon as one of its own is free', async () => {
    const one = await account({ connectionsPerAccount: 2 });
    const [first, second] = [await holding(one, { lane: 'bulk' }), holding(one, { lane: 'bulk' })];
    const listing = await holding(one);
    await listing.end();
    expect(one.stats).toMatchObject({ idle: 1, busy: 1, waiting: 1 });
    await first.end();
    await (await second).end();
    expect(one.stats).toMatchObject({ idle: 2, busy: 0, waiting: 0 });
  });

  it('does not keep a login of the same account from its slot', async () => {
    const registry = registryWith({ connectionsPerAccount: 2 }, new FakeServers().connect);
    const one = await proven(registry, server, { user: 'alice' });
    const bulk = await downloads(one, 3, 1);
    expect(await proven(registry, server, { user: 'alice' })).toBe(one);
    await bulk.end();
  });
});
