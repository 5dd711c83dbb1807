import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { Account } from '../../src/pool/account.js';
import type { PoolLimits } from '../../src/pool/pool-limits.js';
import { BrokerError } from '../../src/protocol/errors.js';
import { upstream } from '../support/upstream.js';
import { FakeServers } from './fake-server.js';
import { held, job, proven, registryWith } from './fixtures.js';

const server = upstream('fake', 1, { tls: 'none', secureContext: undefined });
const tick = () => new Promise((resolve) => setImmediate(resolve));
const enough = new BrokerError('CANCELLED', 'enough');

async function account(limits: Partial<PoolLimits> = {}): Promise<Account> {
  return proven(registryWith(limits, new FakeServers().connect), server);
}

/** A read that is asked for again and again; each run of it is held until it is told to end. */
function reading(of: Account) {
  const runs: ReturnType<typeof held>[] = [];
  const begun: (() => void)[] = [];
  const ask = (maxAgeMs = 0, overrides: Parameters<typeof job>[0] = {}) =>
    of.share(
      'list',
      job(overrides),
      async () => {
        const number = runs.length;
        const run = held();
        runs.push(run);
        for (const note of begun.splice(0)) note();
        await run.work();
        return number;
      },
      { maxAgeMs },
    );
  /** Resolves when so many have begun. */
  const running = async (count: number) => {
    while (runs.length < count) await new Promise<void>((resolve) => begun.push(resolve));
  };
  return { ask, running, runs, end: (index: number) => runs[index]?.end() };
}

describe('identical reads', () => {
  it('of a storm are two jobs at most: the one that runs, and the next', async () => {
    const one = await account();
    const { ask, running, runs, end } = reading(one);
    const early = Array.from({ length: 25 }, () => ask());
    await running(1);
    const late = Array.from({ length: 25 }, () => ask());
    await running(2);
    end(1);
    end(0);
    const answers = await Promise.all([...early, ...late]);
    expect(runs).toHaveLength(2);
    expect(answers.map(({ value }) => value)).toEqual([...Array(25).fill(0), ...Array(25).fill(1)]);
    expect(answers.filter(({ coalesced }) => !coalesced)).toHaveLength(2);
  });

  it('take one place in the queue, however many they are', async () => {
    const one = await account({ connectionsPerAccount: 1, queuePerAccount: 1 });
    const first = held();
    const blocking = one.run(job(), first.work);
    await first.begun;
    const { ask, running, end } = reading(one);
    const all = Array.from({ length: 50 }, () => ask());
    expect(one.stats.waiting).toBe(1);
    const other = one.share('another', job(), async () => 'never', { maxAgeMs: 0 });
    await expect(other).rejects.toMatchObject({ kind: 'POOL_EXHAUSTED' });
    first.end();
    await running(1);
    end(0);
    await Promise.all([blocking, ...all]);
  });

  it('of another key or account are other jobs', async () => {
    const [one, other] = [await account(), await account()];
    const ask = (of: Account, key: string) => of.share(key, job(), async () => key, { maxAgeMs: 0 });
    const answers = await Promise.all([ask(one, 'a'), ask(one, 'b'), ask(other, 'a')]);
    expect(answers).toEqual(['a', 'b', 'a'].map((value) => ({ value, coalesced: false })));
  });

  it('join one that has begun only as long after as they may be old', async () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    onTestFinished(() => {
      vi.useRealTimers();
    });
    const one = await account();
    const { ask, running, end } = reading(one);
    const first = ask();
    await running(1);
    const joins = ask(60_000);
    const validated = ask(0);
    await running(2);
    vi.advanceTimersByTime(20);
    const younger = ask(10);
    await running(3);
    for (const index of [0, 1, 2]) end(index);
    expect(await joins).toEqual({ value: 0, coalesced: true });
    expect(await validated).toEqual({ value: 1, coalesced: false });
    expect(await younger).toEqual({ value: 2, coalesced: false });
    await first;
  });

  it('do not join one that began before a write began, or ended', async () => {
    const one = await account({ connectionsPerAccount: 5 });
    const { ask, running, end } = reading(one);
    const write = held();
    const answers = [ask()];
    await running(1);
    const writing = one.run(job({ effect: 'write' }), write.work);
    await write.begun;
    answers.push(ask(60_000));
    await running(2);
    answers.push(ask(60_000));
    write.end();
    await writing;
    answers.push(ask(60_000));
    await running(3);
    for (const index of [0, 1, 2]) end(index);
    expect((await Promise.all(answers)).map(({ value }) => value)).toEqual([0, 1, 1, 2]);
  });

  it('have one outcome when it fails, and when it is repeated after its connection was lost', async () => {
    const one = await account();
    let attempts = 0;
    const share = () =>
      one.share(
        'list',
        job(),
        async (connection) => {
          attempts += 1;
          if (attempts === 1) connection.close();
          if (!connection.usable) throw new BrokerError('CONNECTION_LOST', 'lost');
          await tick();
          return attempts;
        },
        { maxAgeMs: 0 },
      );
    const answers = await Promise.all([share(), share(), share()]);
    expect(answers.map(({ value }) => value)).toEqual([2, 2, 2]);
    const failing = [1, 2].map(() => one.share('x', job(), () => Promise.reject(enough), { maxAgeMs: 0 }));
    for (const { status } of await Promise.allSettled(failing)) expect(status).toBe('rejected');
  });
});

describe('a request that leaves a shared read', () => {
  it.each(['queued', 'running'] as const)(
    'while it is %s has its own reason at once, and the rest stay',
    async (when) => {
      const one = await account({ connectionsPerAccount: 1 });
      const first = held();
      const blocking = one.run(job(), first.work);
      await first.begun;
      const { ask, running, end } = reading(one);
      const controllers = [new AbortController(), new AbortController()];
      const cancelled = controllers.map(({ signal }) => ask(0, { signal }));
      const late = ask(0, { deadlineAt: Date.now() + (when === 'queued' ? 20 : 80) });
      const patient = ask();
      if (when === 'running') {
        first.end();
        await running(1);
      }
      for (const [index, controller] of controllers.entries())
        controller.abort(new BrokerError('CANCELLED', `${index}`));
      await expect(cancelled[0]).rejects.toMatchObject({ kind: 'CANCELLED', message: '0' });
      await expect(cancelled[1]).rejects.toMatchObject({ kind: 'CANCELLED', message: '1' });
      await expect(late).rejects.toMatchObject({ kind: 'DEADLINE', executed: 'no' });
      first.end();
      await running(1);
      end(0);
      expect(await patient).toEqual({ value: 0, coalesced: true });
      await blocking;
      expect(one.stats).toMatchObject({ idle: 1, busy: 0, waiting: 0 });
    },
  );

  it('as the last one ends it: in the queue its place, at work its connection', async () => {
    const one = await account({ connectionsPerAccount: 1 });
    const { ask, running, runs } = reading(one);
    const atWork = [new AbortController(), new AbortController()];
    const working = atWork.map(({ signal }) => ask(0, { signal }));
    const gone = Promise.allSettled(working);
    await running(1);
    const controller = new AbortController();
    const queued = ask(0, { signal: controller.signal });
    expect(one.stats.waiting).toBe(1);
    controller.abort(enough);
    const again = ask();
    await expect(queued).rejects.toBe(enough);
    expect(one.stats.waiting).toBe(1);
    atWork[0]?.abort(enough);
    await tick();
    expect(one.stats).toMatchObject({ idle: 0, busy: 1 });
    atWork[1]?.abort(enough);
    expect(await gone).toMatchObject([{ reason: enough }, { reason: enough }]);
    await running(2);
    runs[1]?.end();
    expect(await again).toEqual({ value: 1, coalesced: false });
  });

  it('is late by its own deadline, each of several', async () => {
    const one = await account();
    const { ask, running, end } = reading(one);
    const begun = Date.now();
    const late = [90, 30, 60].map((ms) => ask(0, { deadlineAt: begun + ms }).catch(({ kind }) => [kind, Date.now()]));
    const patient = ask();
    await running(1);
    for (const [index, ms] of [90, 30, 60].entries()) {
      const [kind, at] = (await late[index]) as unknown as [string, number];
      expect(kind).toBe('DEADLINE');
      expect(at - begun).toBeGreaterThanOrEqual(ms - 1);
    }
    end(0);
    await patient;
  });

  it('never begins one when it was cancelled before', async () => {
    const one = await account();
    const { ask, runs } = reading(one);
    await expect(ask(0, { signal: AbortSignal.abort(enough) })).rejects.toBe(enough);
    await tick();
    expect(runs).toHaveLength(0);
  });
});
