import { describe, expect, it } from 'vitest';
import { defaultPoolLimits } from '../../src/pool/pool-limits.js';
import { BrokerError } from '../../src/protocol/errors.js';
import { upstream } from '../support/upstream.js';
import { FakeServers } from './fake-server.js';
import { holding, job, proven, registryWith, watching } from './fixtures.js';

const server = upstream('fake', 1, { tls: 'none', secureContext: undefined });
const limits = (overrides: Partial<typeof defaultPoolLimits>) => ({ ...defaultPoolLimits, ...overrides });

describe('lowered limits', () => {
  it('end idle connections of an account that are too many now, busy ones after their work', async () => {
    const { connect } = new FakeServers();
    const registry = registryWith({ connectionsPerAccount: 3 }, connect);
    const account = await proven(registry, server);
    const [first, second, third] = [await holding(account), await holding(account), await holding(account)];
    await first.end();
    registry.setLimits(limits({ connectionsPerAccount: 1 }));
    await second.end();
    await third.end();
    await account.run(job(), async () => {});
    await expect.poll(() => account.size).toBe(1);
  });

  it.each([{ connectionsPerAccount: 2 }, { connectionsPerServer: 2 }, { connections: 2 }])(
    'end no more than are too many of those that come back together: %j',
    async (lowered) => {
      const servers = new FakeServers();
      servers.turns = 5;
      const registry = registryWith({ connectionsPerAccount: 3 }, servers.connect);
      const account = await proven(registry, server);
      const busy = [await holding(account), await holding(account), await holding(account)];
      registry.setLimits(limits({ connectionsPerAccount: 3, ...lowered }));
      await Promise.all(busy.map(({ end }) => end()));
      await expect.poll(() => account.size).toBe(2);
      expect([account.stats.idle, servers.logouts]).toEqual([2, 1]);
    },
  );

  it('of the whole broker leave no more connections than there may be, and raised ones let in who waits', async () => {
    const { connect } = new FakeServers();
    const registry = registryWith({ connections: 3 }, connect);
    const accounts = [await proven(registry, server), await proven(registry, server), await proven(registry, server)];
    registry.setLimits(limits({ connections: 1 }));
    await Promise.all(accounts.slice(0, 2).map((account) => account.quiet(5_000)));
    expect(registry.caps.total).toBe(1);
    const busy = await holding(accounts[2] as (typeof accounts)[2]);
    const waiting = accounts[0]?.run(job(), async () => 'served');
    registry.setLimits(limits({ connections: 2 }));
    expect(await waiting).toBe('served');
    await busy.end();
  });
});

it('a lowered limit of the whole broker ends busy connections after their work', async () => {
  const { connect } = new FakeServers();
  const registry = registryWith({ connections: 2 }, connect);
  const [first, second] = [await proven(registry, server), await proven(registry, server)];
  const [busy, other] = [await holding(first), await holding(second)];
  registry.setLimits(limits({ connections: 1 }));
  await busy.end();
  await first.quiet(1_000);
  expect([first.size, registry.caps.total]).toEqual([0, 1]);
  await other.end();
  expect(second.stats.idle).toBe(1);
});

describe('a paused account', () => {
  it('takes no connection from others while it waits', async () => {
    const { connect } = new FakeServers();
    const registry = registryWith({ connections: 1 }, connect);
    const [paused, other] = [await proven(registry, server), await proven(registry, server)];
    const busy = await holding(other);
    const waiting = paused.run(job(), async () => 'served');
    await registry.pause({ user: paused.user }, 1_000);
    await busy.end();
    expect(other.stats.idle).toBe(1);
    registry.resume({});
    expect(await waiting).toBe('served');
  });

  it('is paused as long as one of its pauses holds', async () => {
    const { connect } = new FakeServers();
    const registry = registryWith({}, connect);
    const account = await proven(registry, server);
    await registry.pause({ server: server.name }, 1_000);
    await registry.pause({ user: account.user }, 1_000);
    expect(registry.resume({ server: server.name, user: account.user })).toBe(0);
    expect(registry.resume({ user: account.user })).toBe(1);
    expect([registry.isPaused(account), registry.paused]).toEqual([true, [{ server: server.name }]]);
    expect(registry.resume({})).toBe(1);
    expect(registry.isPaused(account)).toBe(false);
  });
});

describe('a watch', () => {
  it('gives its connection up for a pause and a reconnect, and is ended by a kick', async () => {
    const { connect } = new FakeServers();
    const registry = registryWith({}, connect);
    const account = await proven(registry, server);
    const first = await watching(account);
    registry.reconnect({});
    await first.ended;
    const second = await watching(account);
    expect(second.connection).not.toBe(first.connection);
    await registry.pause({}, 1_000);
    expect([second.asked, account.size]).toEqual([true, 0]);
    registry.resume({});
    const third = await watching(account);
    const reason = new BrokerError('CANCELLED', 'kicked');
    expect(registry.kick(account.key, reason)).toEqual({ connections: 1, requests: 0 });
    await expect(third.ended).rejects.toMatchObject({ message: 'kicked' });
    await account.quiet(1_000);
    expect(account.size).toBe(0);
  });
});
