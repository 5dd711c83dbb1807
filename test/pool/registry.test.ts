import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Job } from '../../src/pool/job.js';
import { defaultPoolLimits } from '../../src/pool/pool-limits.js';
import { Registry } from '../../src/pool/registry.js';
import { Dovecot, newUser, PASSWORD } from '../support/dovecot.js';
import { waitFor } from '../support/wait-for.js';

let dovecot: Dovecot;
let registry: Registry;
beforeAll(async () => {
  dovecot = await Dovecot.start();
});
afterAll(() => dovecot.stop());
beforeEach(() => {
  registry = new Registry({
    ...defaultPoolLimits,
    connectionsPerAccount: 2,
    queuePerAccount: 3,
    acquireTimeoutMs: 5000,
  });
});
afterEach(() => registry.closeAll(1000));

const job = (effect: Job['effect'] = 'read', overrides: Partial<Job> = {}): Job => ({
  label: 'test',
  effect,
  signal: new AbortController().signal,
  deadlineAt: Date.now() + 10_000,
  ...overrides,
});

const proven = (user = newUser()) =>
  registry.prove({ tenant: 't', server: dovecot.server(), user }, { user, password: PASSWORD }, job());

/** Work that holds its connection until it is told to end. */
function held() {
  let end: () => void = () => {};
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  return { work: () => ended, end };
}

describe('an account of the registry', () => {
  it('lends the connection that proved the credentials to the first job', async () => {
    const account = await proven();
    const before = await dovecot.logins();
    const exists = await account.run(job(), async (connection) => (await connection.select('INBOX')).exists);
    expect(exists).toBe(0);
    expect(await dovecot.logins()).toBe(before);
    expect(account.stats).toEqual({ idle: 1, busy: 0, watching: 0, connecting: 0, waiting: 0 });
  });

  it('answers a wrong password with IMAP_AUTH_FAILED and keeps no connection', async () => {
    const user = newUser();
    const name = { tenant: 't', server: dovecot.server(), user };
    await expect(registry.prove(name, { user, password: 'wrong' }, job())).rejects.toMatchObject({
      kind: 'IMAP_AUTH_FAILED',
    });
    expect(registry.caps.total).toBe(0);
  });

  it('leaves those who are in alone when another login fails', async () => {
    const user = newUser();
    const account = await proven(user);
    const wrong = registry.prove({ tenant: 't', server: dovecot.server(), user }, { user, password: 'wrong' }, job());
    await expect(wrong).rejects.toMatchObject({ kind: 'IMAP_AUTH_FAILED' });
    await account.run(job(), (connection) => connection.noop());
  });

  it('never opens more connections than its cap, and serves the queue in order', async () => {
    const user = newUser();
    registry = new Registry({ ...defaultPoolLimits, connectionsPerAccount: 2 });
    const account = await proven(user);
    const order: number[] = [];
    const jobs = [1, 2, 3, 4, 5].map((number) =>
      account.run(job(), async (connection) => {
        await connection.select('INBOX', { fresh: true });
        expect(registry.caps.total).toBeLessThanOrEqual(2);
        order.push(number);
      }),
    );
    await Promise.all(jobs);
    expect(order.slice(0, 1)).toEqual([1]);
    expect((await dovecot.who()).get(user)).toBeLessThanOrEqual(2);
  });

  it('answers POOL_EXHAUSTED with a time to wait when the queue is full', async () => {
    const account = await proven();
    const first = held();
    const running = [1, 2].map(() => account.run(job(), first.work));
    await waitFor(() => expect(account.stats).toMatchObject({ busy: 2, waiting: 0 }));
    const waiting = [1, 2, 3].map(() => account.run(job(), async () => 'done'));
    await expect(account.run(job(), async () => 'never')).rejects.toMatchObject({
      kind: 'POOL_EXHAUSTED',
      executed: 'no',
      retryAfterMs: 1000,
    });
    first.end();
    await Promise.all([...running, ...waiting]);
  });

  it('cancels a queued job at once and a running one with its connection', async () => {
    const account = await proven();
    const stop = new AbortController();
    const reason = new Error('enough');
    const started = held();
    const never = account.run(job('read', { signal: stop.signal }), () => {
      started.end();
      return new Promise(() => {});
    });
    await started.work();
    stop.abort(reason);
    await expect(never).rejects.toBe(reason);
    await waitFor(() => expect(registry.caps.total).toBe(0));
    await account.run(job(), (connection) => connection.noop());
  });

  it('ends a job at its deadline', async () => {
    const account = await proven();
    const late = account.run(job('read', { deadlineAt: Date.now() + 50 }), () => new Promise(() => {}));
    await expect(late).rejects.toMatchObject({ kind: 'DEADLINE', executed: 'no' });
  });

  it('repeats a read on another connection when its own is lost, and never a write', async () => {
    const account = await proven();
    let reads = 0;
    await account.run(job('read'), async (connection) => {
      reads += 1;
      if (reads === 1) connection.close();
      await connection.noop();
    });
    expect(reads).toBe(2);
    let writes = 0;
    const write = account.run(job('write'), async (connection) => {
      writes += 1;
      const created = connection.exec('write', 'CREATE', ['X']);
      connection.close();
      await created;
    });
    await expect(write).rejects.toMatchObject({ kind: 'CONNECTION_LOST', executed: 'maybe' });
    expect(writes).toBe(1);
  });

  it('evicts the connection that was idle for the longest when the cap of the broker is reached', async () => {
    registry = new Registry({ ...defaultPoolLimits, connections: 2 });
    const [a, b] = [await proven(), await proven()];
    const c = await proven();
    expect(a.stats.idle).toBe(0);
    expect(b.stats.idle).toBe(1);
    expect(c.stats.idle).toBe(1);
    await a.run(job(), (connection) => connection.noop());
    expect(registry.caps.total).toBeLessThanOrEqual(2);
  });

  it('goes on after the server was killed and started again', async () => {
    const account = await proven();
    await account.run(job(), (connection) => connection.select('INBOX'));
    await dovecot.kill();
    await dovecot.run();
    await account.run(job(), (connection) => connection.select('INBOX', { fresh: true }));
  });

  it('logs everything out when it is closed', async () => {
    const user = newUser();
    await proven(user);
    expect((await dovecot.who()).get(user)).toBe(1);
    await registry.closeAll(1000);
    expect(registry.caps.total).toBe(0);
    await waitFor(async () => expect((await dovecot.who()).get(user)).toBeUndefined());
  });

  it('reaps what was idle for too long', async () => {
    registry = new Registry({ ...defaultPoolLimits, idleMs: 50 });
    const account = await proven();
    await waitFor(() => expect(account.stats.idle).toBe(0));
    await waitFor(() => expect(registry.caps.total).toBe(0));
  });
});
