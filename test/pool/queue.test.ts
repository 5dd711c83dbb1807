import { describe, expect, it } from 'vitest';
import type { Account } from '../../src/pool/account.js';
import type { PoolLimits } from '../../src/pool/pool-limits.js';
import type { Registry } from '../../src/pool/registry.js';
import { BrokerError } from '../../src/protocol/errors.js';
import { upstream } from '../support/upstream.js';
import { FakeServers } from './fake-server.js';
import { held, job, proven, registryWith } from './fixtures.js';

const server = upstream('fake', 1, { tls: 'none', secureContext: undefined });
const other = upstream('other', 1, { tls: 'none', secureContext: undefined });
const tick = () => new Promise((resolve) => setImmediate(resolve));

function broker(limits: Partial<PoolLimits> = {}): { fakes: FakeServers; registry: Registry } {
  const fakes = new FakeServers();
  return { fakes, registry: registryWith(limits, fakes.connect) };
}

/** Keeps a connection of the account busy. */
async function occupy(account: Account): Promise<() => Promise<void>> {
  const { work, begun, end } = held();
  const running = account.run(job(), work);
  await begun;
  return () => {
    end();
    return running;
  };
}

describe('waiting for a connection', () => {
  it('ends with POOL_EXHAUSTED after the time that it may take, with DEADLINE if that is sooner', async () => {
    const { registry } = broker({ connectionsPerAccount: 1, acquireTimeoutMs: 60 });
    const account = await proven(registry, server);
    const release = await occupy(account);
    const [late, tooLate] = [
      account.run(job(), async () => {}),
      account.run(job({ deadlineAt: Date.now() + 20 }), async () => {}),
    ];
    await expect(tooLate).rejects.toMatchObject({ kind: 'DEADLINE', executed: 'no' });
    await expect(late).rejects.toMatchObject({ kind: 'POOL_EXHAUSTED', executed: 'no', retryAfterMs: 1_000 });
    expect(account.stats).toEqual({ idle: 0, busy: 1, watching: 0, connecting: 0, waiting: 0 });
    await release();
    expect(account.stats).toEqual({ idle: 1, busy: 0, watching: 0, connecting: 0, waiting: 0 });
  });

  it('has room again in the very moment in which somebody gives up', async () => {
    const { registry } = broker({ connectionsPerAccount: 1, queuePerAccount: 2 });
    const account = await proven(registry, server);
    const release = await occupy(account);
    const controller = new AbortController();
    const cancelled = [1, 2].map(() => account.run(job({ signal: controller.signal }), async () => {}));
    await expect(account.run(job(), async () => {})).rejects.toMatchObject({ kind: 'POOL_EXHAUSTED', executed: 'no' });
    const reason = new BrokerError('CANCELLED', 'enough');
    controller.abort(reason);
    expect(account.stats.waiting).toBe(0);
    const served = [1, 2].map((number) => account.run(job(), async () => number));
    for (const one of cancelled) await expect(one).rejects.toBe(reason);
    await release();
    expect(await Promise.all(served)).toEqual([1, 2]);
  });

  it('is not begun by a job that is cancelled or late already', async () => {
    const { registry } = broker();
    const account = await proven(registry, server);
    const reason = new BrokerError('CANCELLED', 'enough');
    let begun = false;
    const work = async () => {
      begun = true;
    };
    await expect(account.run(job({ signal: AbortSignal.abort(reason) }), work)).rejects.toBe(reason);
    expect(begun).toBe(false);
    expect(account.stats).toEqual({ idle: 1, busy: 0, watching: 0, connecting: 0, waiting: 0 });
  });

  it('ends at once when it is cancelled while a connection is made, which others then use', async () => {
    const { fakes, registry } = broker({ connectionsPerAccount: 1 });
    const account = await proven(registry, server);
    await account.evictIdle();
    fakes.turns = 10;
    const controller = new AbortController();
    const cancelled = account.run(job({ signal: controller.signal }), async () => {});
    const patient = account.run(job(), async () => 'served');
    await tick();
    expect(account.stats).toEqual({ idle: 0, busy: 0, watching: 0, connecting: 1, waiting: 2 });
    controller.abort(new BrokerError('CANCELLED', 'enough'));
    await expect(cancelled).rejects.toMatchObject({ kind: 'CANCELLED' });
    expect(account.stats.connecting).toBe(1);
    expect(await patient).toBe('served');
    expect(fakes.logins).toBe(2);
  });

  it('for the second time has the deadline that the work had moved', async () => {
    const { fakes, registry } = broker();
    const account = await proven(registry, server);
    let attempts = 0;
    fakes.turns = 20_000;
    const streaming = account.run(job({ deadlineAt: Date.now() + 30 }), async (connection, lease) => {
      attempts += 1;
      lease.extend(Date.now() + 10_000);
      await new Promise((resolve) => setTimeout(resolve, 60));
      if (attempts === 1) {
        connection.close();
        throw new BrokerError('CONNECTION_LOST', 'lost', { executed: 'maybe' });
      }
      return 'streamed';
    });
    expect(await streaming).toBe('streamed');
    expect(attempts).toBe(2);
  });

  it('does not keep a login from a slot that is free', async () => {
    const { fakes, registry } = broker({ connectionsPerAccount: 3 });
    const account = await proven(registry, server, { user: 'alice' });
    const release = await occupy(account);
    fakes.turns = 20;
    const waiting = account.run(job(), tick);
    const proving = proven(registry, server, { user: 'alice' });
    expect(account.stats).toMatchObject({ busy: 1, connecting: 1, waiting: 1 });
    await tick();
    expect(account.stats).toMatchObject({ busy: 1, connecting: 2, waiting: 1 });
    await Promise.all([waiting, proving, release()]);
  });

  it('is in order, but nobody waits for a folder’s own connection', async () => {
    const { registry } = broker({ connectionsPerAccount: 1 });
    const account = await proven(registry, server);
    const order: string[] = [];
    const jobs = ['A', 'B', 'A', 'C'].map((mailbox) =>
      account.run(job({ mailbox }), async () => {
        order.push(mailbox);
      }),
    );
    await Promise.all(jobs);
    expect(order).toEqual(['A', 'B', 'A', 'C']);
  });
});

describe('waiting for a slot that others have', () => {
  it.each([
    ['the broker', { connections: 2 }, [server, other]],
    ['the server', { connectionsPerServer: 2 }, [server, server]],
  ] as const)(
    'of %s takes an idle one of theirs, the one that is idle for the longest',
    async (_name, limits, places) => {
      const { fakes, registry } = broker(limits);
      const [first, second] = [await proven(registry, places[0]), await proven(registry, places[1])];
      await first.run(job(), tick);
      const third = await proven(registry, server);
      expect([first.stats.idle, second.stats.idle, third.stats.idle]).toEqual([1, 0, 1]);
      expect(fakes.most.get('all')).toBe(2);
    },
  );

  it('of a server leaves the connections to other servers alone', async () => {
    const { fakes, registry } = broker({ connectionsPerServer: 1 });
    const [elsewhere, here] = [await proven(registry, other), await proven(registry, server)];
    await proven(registry, server);
    expect([elsewhere.stats.idle, here.stats.idle]).toEqual([1, 0]);
    expect(fakes.logouts).toBe(1);
  });

  it('costs the others one connection for each that it gets, not one for each job', async () => {
    const { fakes, registry } = broker({ connections: 5, connectionsPerAccount: 2 });
    const others: Account[] = [];
    for (let count = 0; count < 5; count += 1) others.push(await proven(registry, server));
    const stormy = await proven(registry, server);
    fakes.turns = 5;
    await Promise.all(Array.from({ length: 20 }, () => stormy.run(job(), tick)));
    expect(others.reduce((sum, { stats }) => sum + stats.idle, 0)).toBe(3);
    expect(fakes.most.get('all')).toBe(5);
  });

  it('does not starve after somebody of the same account waited for one in vain', async () => {
    const { registry } = broker({ connections: 1 });
    const [first, second] = [await proven(registry, server), await proven(registry, server)];
    const release = await occupy(second);
    const controller = new AbortController();
    const cancelled = first.run(job({ signal: controller.signal }), async () => {});
    await tick();
    controller.abort(new BrokerError('CANCELLED', 'enough'));
    await expect(cancelled).rejects.toMatchObject({ kind: 'CANCELLED' });
    await release();
    expect(second.stats.idle).toBe(1);
    expect(await first.run(job({ deadlineAt: Date.now() + 500 }), async () => 'served')).toBe('served');
  });

  it('is fair: many accounts with few slots are all served', async () => {
    const { fakes, registry } = broker({ connections: 3, connectionsPerAccount: 2 });
    const accounts: Account[] = [];
    for (let count = 0; count < 12; count += 1) accounts.push(await proven(registry, server));
    const jobs = accounts.flatMap((account) => Array.from({ length: 10 }, () => account.run(job(), tick)));
    await Promise.all(jobs);
    expect(fakes.most.get('all')).toBe(3);
    expect(registry.caps.total).toBeLessThanOrEqual(3);
  });
});
