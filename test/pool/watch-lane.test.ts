import { describe, expect, it } from 'vitest';
import type { Account } from '../../src/pool/account.js';
import type { PoolLimits } from '../../src/pool/pool-limits.js';
import { BrokerError } from '../../src/protocol/errors.js';
import { upstream } from '../support/upstream.js';
import { waitFor } from '../support/wait-for.js';
import { type FakeConnection, FakeServers } from './fake-server.js';
import { held, holding, job, proven, registryWith, watching } from './fixtures.js';

const server = upstream('fake', 1, { tls: 'none', secureContext: undefined });
const tick = () => new Promise((resolve) => setImmediate(resolve));
const turns = async (count: number) => {
  for (let turn = 0; turn < count; turn += 1) await tick();
};

async function broker(limits: Partial<PoolLimits> = {}) {
  const fakes = new FakeServers();
  const registry = registryWith(limits, fakes.connect);
  return { fakes, registry, account: await proven(registry, server) };
}

const forever = { lane: 'watch' as const, deadlineAt: Number.POSITIVE_INFINITY };

describe('a watch', () => {
  it('takes an idle connection, is counted apart, and has no deadline', async () => {
    const { fakes, account } = await broker();
    const watch = await watching(account, { mailbox: 'INBOX' });
    expect(account.stats).toEqual({ idle: 0, busy: 0, watching: 1, connecting: 0, waiting: 0 });
    await watch.end();
    expect(account.stats).toEqual({ idle: 1, busy: 0, watching: 0, connecting: 0, waiting: 0 });
    expect(fakes.logins).toBe(1);
  });

  it('opens a connection only where the account has none at all', async () => {
    const { fakes, account } = await broker({ connectionsPerAccount: 3 });
    const busy = await holding(account);
    const waiting = watching(account);
    await turns(10);
    expect(fakes.logins).toBe(1);
    expect(account.stats).toMatchObject({ busy: 1, watching: 0, waiting: 0 });
    await busy.end();
    await (await waiting).end();
    await account.evictIdle();
    await (await watching(account)).end();
    expect(fakes.logins).toBe(2);
  });

  it('waits while anybody else waits, and has its connection again when it is quiet', async () => {
    const { account } = await broker({ connectionsPerAccount: 1 });
    const busy = await holding(account);
    const order: string[] = [];
    const watch = watching(account).then((it) => {
      order.push('watch');
      return it;
    });
    const others = (['bulk', 'interactive'] as const).map((lane) =>
      account.run(job({ lane }), async () => void order.push(lane)),
    );
    await busy.end();
    await Promise.all(others);
    await (await watch).end();
    expect(order).toEqual(['interactive', 'bulk', 'watch']);
  });

  it('that waits is not refused after the time that others may wait, and makes no place in the queue dear', async () => {
    const { account } = await broker({ connectionsPerAccount: 1, queuePerAccount: 1, acquireTimeoutMs: 20 });
    const busy = await holding(account);
    const watch = watching(account);
    const late = account.run(job(), async () => {});
    await expect(late).rejects.toMatchObject({ kind: 'POOL_EXHAUSTED' });
    const controller = new AbortController();
    const second = account.run(job({ ...forever, signal: controller.signal }), async () => {});
    await expect(second).rejects.toMatchObject({ kind: 'POOL_EXHAUSTED' });
    await busy.end();
    await (await watch).end();
  });
});

describe('a watch is asked for its connection', () => {
  it('by a job of its folder, which is served by no other one meanwhile', async () => {
    const { fakes, account } = await broker({ connectionsPerAccount: 3 });
    const watch = await watching(account, { mailbox: 'INBOX' });
    const lent = await account.run(job({ mailbox: 'INBOX' }), async (connection) => connection as unknown);
    expect(lent).toBe(watch.connection);
    expect(watch.asked).toBe(true);
    expect(fakes.logins).toBe(1);
  });

  it('by a job that prefers it to an idle one with the folder', async () => {
    const { account } = await broker({ connectionsPerAccount: 2 });
    const idle = await holding(account, { mailbox: 'INBOX' });
    const other = await holding(account, { mailbox: 'INBOX' });
    await idle.end();
    const watch = await watching(account, { mailbox: 'INBOX' });
    await other.end();
    const plain = await holding(account, { mailbox: 'INBOX' });
    expect(watch.asked).toBe(false);
    await plain.end();
    const prefers = (connection: unknown) => connection === watch.connection;
    const choosy = await holding(account, { mailbox: 'INBOX', prefers });
    expect(choosy.connection).toBe(watch.connection);
    await choosy.end();
  });

  it('once by a burst for its folder: one job waits for it, the rest have connections of their own', async () => {
    const { fakes, account } = await broker({ connectionsPerAccount: 3 });
    await watching(account, { mailbox: 'INBOX' });
    const jobs = [1, 2, 3].map(() => holding(account, { mailbox: 'INBOX' }));
    const lent = await Promise.all(jobs);
    expect(new Set(lent.map(({ connection }) => connection)).size).toBe(3);
    expect(fakes.logins).toBe(3);
    for (const { end } of lent) await end();
  });

  it.each(['interactive', 'bulk'] as const)(
    'by %s work when nothing is idle and no other may be opened',
    async (lane) => {
      for (const limits of [{ connectionsPerAccount: 1 }, { connectionsPerServer: 1 }, { connections: 1 }]) {
        const { fakes, account } = await broker(limits);
        const watch = await watching(account, { mailbox: 'INBOX' });
        expect(await account.run(job({ lane, mailbox: 'Other' }), async () => 'served')).toBe('served');
        expect(watch.asked).toBe(true);
        expect([fakes.logins, fakes.logouts]).toEqual([1, 0]);
      }
    },
  );

  it('each of several, by as many jobs', async () => {
    const { account } = await broker({ connectionsPerAccount: 2 });
    const busy = await holding(account);
    const first = watching(account);
    const other = await holding(account);
    await busy.end();
    await first;
    await other.end();
    await watching(account);
    expect(account.stats).toMatchObject({ watching: 2, idle: 0 });
    const jobs = await Promise.all([holding(account), holding(account)]);
    expect(account.stats).toMatchObject({ watching: 0, busy: 2 });
    for (const { end } of jobs) await end();
  });

  it('in the middle of what the scheduler does, which then lends no connection twice', async () => {
    const { account } = await broker({ connectionsPerAccount: 3 });
    const busy = await holding(account, { mailbox: 'Idle' });
    const jobs: ReturnType<typeof holding>[] = [];
    const watch = held();
    const watched = account.run(job({ ...forever, mailbox: 'INBOX' }), async (connection, { wanted }) => {
      (connection as unknown as FakeConnection).selected = { path: 'INBOX' };
      wanted.addEventListener('abort', () => {
        for (const mailbox of ['A', 'B']) jobs.push(holding(account, { mailbox }));
        watch.end();
      });
      await watch.work();
    });
    const opening = await holding(account, { mailbox: 'Opened' });
    await opening.end();
    await watch.begun;
    await busy.end();
    jobs.push(holding(account, { mailbox: 'INBOX' }));
    await watched;
    const lent = await Promise.all(jobs);
    expect(new Set(lent.map(({ connection }) => connection)).size).toBe(3);
    for (const { end } of lent) await end();
  });

  it('not by work that may open another one, or have an idle one', async () => {
    const { fakes, account } = await broker({ connectionsPerAccount: 2 });
    const watch = await watching(account, { mailbox: 'INBOX' });
    for (let times = 0; times < 3; times += 1) await account.run(job({ mailbox: 'Other' }), tick);
    expect(watch.asked).toBe(false);
    expect(fakes.logins).toBe(2);
    await watch.end();
  });

  it('not by downloads that have all they may have', async () => {
    const { account } = await broker({ connectionsPerAccount: 2 });
    const download = await holding(account, { lane: 'bulk' });
    await account.run(job(), tick);
    const watch = await watching(account);
    const next = holding(account, { lane: 'bulk' });
    await turns(5);
    expect(watch.asked).toBe(false);
    await download.end();
    await (await next).end();
    await watch.end();
  });

  it('by another account that has no room, as if the connection were idle since the watch began', async () => {
    const { fakes, registry, account } = await broker({ connections: 2 });
    const watch = await watching(account);
    const other = await proven(registry, server);
    await other.run(job(), tick);
    const third = await proven(registry, server);
    await watch.ended;
    expect(watch.asked).toBe(true);
    expect([account.stats.watching, other.stats.idle, third.stats.idle]).toEqual([0, 1, 1]);
    expect(fakes.most.get('all')).toBe(2);
  });

  it('to end it, when it is evicted', async () => {
    const { fakes, registry, account } = await broker();
    const watch = await watching(account);
    await account.evictIdle();
    await watch.ended;
    await waitFor(() => expect(registry.caps.total).toBe(0));
    expect(fakes.logouts).toBe(1);
  });

  it('when it must retire', async () => {
    const { registry, account } = await broker({ connectionsPerAccount: 1, maxAgeMs: 50, idleMs: 400 });
    const watch = await watching(account);
    await watch.ended;
    expect(watch.asked).toBe(true);
    await waitFor(() => expect(registry.caps.total).toBe(0));
  });

  it('when the account is closed, which does not wait for more', async () => {
    const { registry, account } = await broker();
    const watch = await watching(account);
    await registry.close(account.key);
    await watch.ended;
    expect(registry.caps.total).toBe(0);
    await expect(account.run(job(forever), async () => {})).rejects.toMatchObject({ kind: 'DRAINING' });
  });
});

describe('a watch that does not give its connection back', () => {
  /** One that never heeds the question; `asked` resolves when it hears it. */
  function deaf(account: Account, overrides: Parameters<typeof job>[0] = {}) {
    const { work, begun, end } = held();
    let lent: FakeConnection | undefined;
    const running = account.run(job({ ...forever, ...overrides }), async (connection, { wanted }) => {
      lent = connection as unknown as FakeConnection;
      lent.selected = overrides.mailbox === undefined ? undefined : { path: overrides.mailbox };
      wanted.addEventListener('abort', end);
      void work();
      await new Promise(() => {});
    });
    running.catch(() => {});
    return { begun, running, connection: () => lent };
  }

  it('is not waited for by a job that another connection would serve as well', async () => {
    const { fakes, account } = await broker({ connectionsPerAccount: 2 });
    const watch = deaf(account, { mailbox: 'INBOX' });
    await watch.begun;
    expect(await account.run(job({ mailbox: 'INBOX' }), async () => 'served')).toBe('served');
    expect(fakes.logins).toBe(2);
    expect(watch.connection()?.usable).toBe(true);
  });

  it('is waited for by one job alone', async () => {
    const { account } = await broker({ connectionsPerAccount: 2 });
    const watch = deaf(account, { mailbox: 'INBOX' });
    await watch.begun;
    const order: string[] = [];
    const jobs = ['first', 'second'].map((name) =>
      account.run(job({ mailbox: 'INBOX' }), async () => void order.push(name)),
    );
    await Promise.all(jobs);
    expect(order).toEqual(['second', 'first']);
  });

  it('is not the only one that is asked', async () => {
    const { account } = await broker({ connectionsPerAccount: 2 });
    const busy = await holding(account);
    const opening = holding(account);
    const watch = deaf(account);
    await (await opening).end();
    await watch.begun;
    const other = watching(account);
    await busy.end();
    await other;
    expect(await account.run(job(), async () => 'served')).toBe('served');
    expect(watch.connection()?.usable).toBe(true);
  });

  it('lets no other watch take what the job that waits for it may need', async () => {
    const { account } = await broker({ connectionsPerAccount: 2 });
    const busy = await holding(account);
    const opening = holding(account);
    const watch = deaf(account, { mailbox: 'INBOX' });
    await (await opening).end();
    await watch.begun;
    const other = watching(account);
    const served = account.run(job({ mailbox: 'INBOX' }), async () => 'served');
    await busy.end();
    expect(account.stats).toMatchObject({ idle: 1, watching: 1, waiting: 1 });
    expect(await served).toBe('served');
    await (await other).end();
  });

  it('loses it after a while, and whoever waits is served', async () => {
    const { account } = await broker({ connectionsPerAccount: 1 });
    const { account: another } = await broker({ connectionsPerAccount: 1 });
    const watch = deaf(account);
    await watch.begun;
    // One more that is asked before its work begins.
    const early = deaf(another);
    const served = [account, another].map((one) => one.run(job(), async () => 'served'));
    for (const { running } of [watch, early]) await expect(running).rejects.toMatchObject({ kind: 'DEADLINE' });
    expect(await Promise.all(served)).toEqual(['served', 'served']);
  });

  it('is cut off when the account is closed and the grace has passed', async () => {
    const { registry, account } = await broker();
    const watch = deaf(account);
    await watch.begun;
    const closing = registry.closeAll(0);
    await expect(watch.running).rejects.toMatchObject({ kind: 'DRAINING' });
    await closing;
    expect(registry.caps.total).toBe(0);
  });
});

describe('watches of many accounts under a cap', () => {
  it('take no connection from anybody, and have what becomes free', async () => {
    const { fakes, registry, account } = await broker({ connections: 1 });
    const other = registry.adopt({ tenant: 't', server, user: 'bob' }, { user: 'bob', password: 'x' });
    const waiting = watching(other);
    await turns(10);
    expect([account.stats.idle, other.stats.watching, fakes.logouts]).toEqual([1, 0, 0]);
    await registry.close(account.key);
    await (await waiting).end();
    expect(fakes.most.get('all')).toBe(1);
  });

  it('that wait no more are forgotten', async () => {
    const { registry } = await broker({ connections: 1 });
    const other = registry.adopt({ tenant: 't', server, user: 'bob' }, { user: 'bob', password: 'x' });
    const controller = new AbortController();
    const waiting = other.run(job({ ...forever, signal: controller.signal }), async () => {});
    const enough = new BrokerError('CANCELLED', 'enough');
    controller.abort(enough);
    await expect(waiting).rejects.toBe(enough);
    expect(registry.caps.total).toBe(1);
  });
});
