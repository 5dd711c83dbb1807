import { Pool } from 'generic-pool';
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import type { ImapConnection } from '../../src/imap/connection/connection.js';
import { ConnectionPool } from '../../src/pool/lease/connection-pool.js';
import type { PoolLimits } from '../../src/pool/pool-limits.js';
import type { Registry } from '../../src/pool/registry.js';
import { upstream } from '../support/upstream.js';
import { type FakeConnection, FakeServers } from './fake-server.js';
import { held, job, proven, registryWith } from './fixtures.js';

// One test for each trap of generic-pool that was found by measuring.

const server = upstream('fake', 1, { tls: 'none', secureContext: undefined });
const fakeOf = (connection: ImapConnection) => connection as unknown as FakeConnection;
const turns = async (count: number) => {
  for (let turn = 0; turn < count; turn += 1) await new Promise((resolve) => setImmediate(resolve));
};

function broker(limits: Partial<PoolLimits> = {}): { fakes: FakeServers; registry: Registry } {
  const fakes = new FakeServers();
  return { fakes, registry: registryWith(limits, fakes.connect) };
}

afterEach(() => {
  vi.useRealTimers();
});

describe('a create that rejects is repeated at once and for ever, and acquire never learns', () => {
  it.each(['unavailable', 'refused'] as const)(
    'but here everybody who waits learns, of one attempt each: %s',
    async (outcome) => {
      const { fakes, registry } = broker({ connectionsPerAccount: 2 });
      const account = await proven(registry, server);
      await account.evictIdle();
      fakes.outcome = outcome;
      const before = fakes.logins;
      const waiting = Array.from({ length: 10 }, () => account.run(job(), async () => 'never'));
      for (const { status } of await Promise.allSettled(waiting)) expect(status).toBe('rejected');
      await turns(50);
      expect(fakes.logins - before).toBeLessThanOrEqual(2);
      expect(registry.caps.total).toBe(0);
      expect(account.stats).toEqual({ idle: 0, busy: 0, watching: 0, connecting: 0, waiting: 0 });
    },
  );

  it('and a connect that throws in its first line is a failure like any other', async () => {
    const failure = new TypeError('not a function');
    const registry = registryWith({}, () => {
      throw failure;
    });
    await expect(proven(registry, server)).rejects.toBe(failure);
    expect(registry.caps.total).toBe(0);
  });
});

describe('a validate that rejects leaks the slot, and one that never ends blocks it', () => {
  it.each(['ended', 'silent'] as const)('but here a connection that is %s makes way for a new one', async (how) => {
    vi.useFakeTimers({ toFake: ['performance', 'setTimeout', 'clearTimeout'] });
    const { fakes, registry } = broker({ connectionsPerAccount: 1 });
    const account = await proven(registry, server);
    const [first] = fakes.open;
    if (first) first.silent = true;
    if (how === 'ended') vi.spyOn(first as FakeConnection, 'noop').mockRejectedValue(new Error('gone'));
    await vi.advanceTimersByTimeAsync(31_000);
    const served = account.run(
      job({ deadlineAt: Date.now() + 60_000 }),
      async (connection) => fakeOf(connection) === first,
    );
    await turns(5);
    await vi.advanceTimersByTimeAsync(how === 'silent' ? 3_000 : 0);
    expect(await served).toBe(false);
    expect(fakes.live.get('all')).toBe(1);
    expect(fakes.logins).toBe(2);
  });

  it('and closing everything does not wait for the answer', async () => {
    vi.useFakeTimers({ toFake: ['performance', 'setTimeout', 'clearTimeout'] });
    const { fakes, registry } = broker();
    const account = await proven(registry, server);
    for (const connection of fakes.open) connection.silent = true;
    await vi.advanceTimersByTimeAsync(31_000);
    const asked = account.run(job({ deadlineAt: Date.now() + 60_000 }), async () => 'never');
    const refused = expect(asked).rejects.toMatchObject({ kind: 'DRAINING', executed: 'no' });
    await turns(5);
    const closing = registry.closeAll(100);
    await vi.advanceTimersByTimeAsync(101);
    await closing;
    await refused;
    expect(registry.caps.total).toBe(0);
  });

  it('and one that was used a moment ago is not asked', async () => {
    const { fakes, registry } = broker();
    const account = await proven(registry, server);
    const [first] = fakes.open;
    const noop = vi.spyOn(first as FakeConnection, 'noop');
    await account.run(job(), async () => {});
    expect(noop).not.toHaveBeenCalled();
  });
});

describe('max counts no connection that is being destroyed', () => {
  it('but here a slot is free only when its connection is gone', async () => {
    const { fakes, registry } = broker({ connectionsPerAccount: 1 });
    const account = await proven(registry, server);
    fakes.turns = 20;
    const ending = account.evictIdle();
    const running = account.run(job(), async () => 'served');
    await turns(5);
    expect(account.stats).toMatchObject({ connecting: 0, waiting: 1 });
    await ending;
    expect(await running).toBe('served');
    expect(fakes.most.get('all')).toBe(1);
  });
});

describe('use() releases twice, clear() spoils a pool, drain() hangs on a loan that is not returned', () => {
  it('so none of them is called, and closing has an end', async () => {
    const names = ['use', 'clear', 'drain', 'start'] as const;
    const spies = names.map((name) => vi.spyOn(Pool.prototype, name));
    onTestFinished(() => {
      for (const spy of spies) spy.mockRestore();
    });
    const { registry } = broker({ logoutMs: 50 });
    const account = await proven(registry, server);
    const never = account.run(job(), () => new Promise(() => {}));
    await turns(3);
    const closing = registry.closeAll(20);
    await expect(never).rejects.toMatchObject({ kind: 'DRAINING', executed: 'no' });
    await closing;
    expect(registry.caps.total).toBe(0);
    for (const spy of spies.slice(0, 3)) expect(spy).not.toHaveBeenCalled();
  });
});

describe('an evictor in each pool would be a timer for each account', () => {
  it('so there is one for all of them, and an account that is closed leaves nothing', async () => {
    const timers = () => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
    const before = timers();
    const { fakes, registry } = broker();
    const accounts = await Promise.all(Array.from({ length: 200 }, () => proven(registry, server)));
    expect(registry.caps.total).toBe(200);
    expect(timers() - before).toBeLessThanOrEqual(1);
    await Promise.all(accounts.map(({ key }) => registry.close(key)));
    expect(registry.stats.size).toBe(0);
    expect(fakes.live.get('all')).toBe(0);
  });
});

describe('a pool lends the head of its queue', () => {
  /** An account with an idle connection in each folder. */
  async function inFolders(registry: Registry, folders: string[]) {
    const account = await proven(registry, server);
    const jobs = folders.map(() => held());
    const running = jobs.map(({ work }, index) =>
      account.run(job(), async (connection) => {
        fakeOf(connection).selected = { path: folders[index] ?? '' };
        await work();
      }),
    );
    await Promise.all(jobs.map(({ begun }) => begun));
    for (const [index, { end }] of jobs.entries()) {
      end();
      await running[index];
    }
    return account;
  }
  const where = async (connection: ImapConnection) => connection.selected?.path;

  it('but here the connection that has the folder selected, else the one that was used last', async () => {
    const { registry } = broker({ connectionsPerAccount: 3 });
    const account = await inFolders(registry, ['A', 'B', 'C']);
    expect(account.stats.idle).toBe(3);
    for (const mailbox of ['A', 'B', 'C', 'A']) expect(await account.run(job({ mailbox }), where)).toBe(mailbox);
    expect(await account.run(job(), where)).toBe('A');
    expect(await account.run(job({ mailbox: 'D' }), where)).toBe('A');
  });

  it('and exactly the chosen one, also while another is taken in', async () => {
    const { connect } = new FakeServers();
    const make = () => connect(server, { user: 'a', password: 'x' }, new AbortController().signal);
    const [first, second, third] = [await make(), await make(), await make()];
    const pool = new ConnectionPool({ now: { logoutMs: 1_000 } });
    for (const connection of [first, second]) {
      await pool.adopt(connection);
      await pool.release(connection);
    }
    await Promise.all([pool.adopt(third), pool.borrow(second)]);
    expect(pool.idle).toEqual([first]);
    await Promise.all([pool.release(third), pool.borrow(first), pool.release(second)]);
    expect(pool.idle).toEqual([third, second]);
  });

  it('and exactly the chosen one, also while others come and go', async () => {
    const { fakes, registry } = broker({ connectionsPerAccount: 4 });
    const account = await inFolders(registry, ['A', 'B', 'C']);
    const { user } = account;
    const running = ['C', 'A', 'B'].map((mailbox) => account.run(job({ mailbox }), where));
    const [, ...paths] = await Promise.all([proven(registry, server, { user }), ...running]);
    expect(paths).toEqual(['C', 'A', 'B']);
    expect(fakes.live.get('all')).toBe(4);
    expect(account.stats).toEqual({ idle: 4, busy: 0, watching: 0, connecting: 0, waiting: 0 });
  });
});
