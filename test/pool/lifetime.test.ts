import { describe, expect, it } from 'vitest';
import { accountKey } from '../../src/runtime/account-key.js';
import { upstream } from '../support/upstream.js';
import { FakeServers } from './fake-server.js';
import { job, proven, registryWith } from './fixtures.js';

const server = upstream('fake', 1, { tls: 'none', secureContext: undefined });
const name = { tenant: 't', server, user: 'alice' };
const key = accountKey(name);
const credentials = { user: 'alice', password: 'x' };
const tick = () => new Promise((resolve) => setImmediate(resolve));

function broker(limits = {}) {
  const fakes = new FakeServers();
  return { fakes, registry: registryWith(limits, fakes.connect) };
}

describe('an account', () => {
  it('stays when its last session ends while somebody else is proving, who then has it', async () => {
    const { fakes, registry } = broker();
    const account = await proven(registry, server, { user: 'alice' });
    fakes.turns = 5;
    const proving = registry.hold(key, () => registry.prove(name, credentials, job()));
    await tick();
    await registry.close(key);
    expect(await proving).toBe(account);
    expect(registry.get(key)).toBe(account);
    expect(await account.run(job(), async () => 'served')).toBe('served');
  });

  it('stays until whoever proved is admitted', async () => {
    const { registry } = broker();
    await registry.hold(key, async () => {
      const account = await registry.prove(name, credentials, job());
      await registry.close(key);
      expect(registry.get(key)).toBe(account);
    });
    await registry.close(key);
    expect(registry.stats.size).toBe(0);
    expect(registry.caps.total).toBe(0);
  });

  it('whose admission fails can be closed by whoever asked for it', async () => {
    const { registry } = broker();
    const full = new Error('too many sessions');
    const admitting = registry.hold(key, async () => {
      await registry.prove(name, credentials, job());
      throw full;
    });
    await expect(admitting).rejects.toBe(full);
    await registry.close(key);
    expect(registry.stats.size).toBe(0);
    expect(registry.caps.total).toBe(0);
  });

  it('is not given out before its credentials are proven', async () => {
    const { fakes, registry } = broker();
    fakes.turns = 5;
    const proving = registry.prove(name, credentials, job());
    await tick();
    expect(registry.get(key)).toBeUndefined();
    expect(registry.get((await proving).key)).toBe(await proving);
  });

  it('that is closed and opened again at once has its slots as soon as the old connections are gone', async () => {
    const { fakes, registry } = broker({ connectionsPerAccount: 1 });
    const first = await proven(registry, server, { user: 'alice' });
    fakes.turns = 20;
    const closing = registry.close(key);
    const second = await proven(registry, server, { user: 'alice', deadlineAt: Date.now() + 1_000 });
    await closing;
    expect(second).not.toBe(first);
    expect(registry.get(key)).toBe(second);
    expect(fakes.most.get('all')).toBe(1);
    await expect(first.run(job(), async () => {})).rejects.toMatchObject({ kind: 'DRAINING' });
    expect(await second.run(job(), async () => 'served')).toBe('served');
  });

  it('is another one for another tenant, server or user, whatever their names', async () => {
    const { registry } = broker();
    const names = [
      { tenant: 'a', user: 'b' },
      { tenant: 'a","fake","b', user: '' },
      { tenant: 'a,b', user: '' },
      { tenant: 'a', user: 'B' },
    ];
    const accounts = await Promise.all(
      names.map(({ tenant, user }) => registry.prove({ tenant, server, user }, credentials, job())),
    );
    expect(new Set(accounts).size).toBe(names.length);
    expect(registry.stats.size).toBe(names.length);
  });
});

describe('proving', () => {
  it('that is cancelled or late while it connects ends the login and leaves nothing', async () => {
    const { fakes, registry } = broker();
    fakes.outcome = 'hang';
    const controller = new AbortController();
    const cancelled = registry.prove(name, credentials, job({ signal: controller.signal }));
    const late = registry.prove(name, credentials, job({ deadlineAt: Date.now() + 50 }));
    await tick();
    const reason = new Error('enough');
    controller.abort(reason);
    await expect(cancelled).rejects.toBe(reason);
    await expect(late).rejects.toMatchObject({ kind: 'DEADLINE', executed: 'no' });
    expect(fakes.live.get('all')).toBe(0);
    expect(registry.caps.total).toBe(0);
    expect(registry.get(key)).toBeUndefined();
  });

  it('with other credentials leaves the account as it was when they are wrong', async () => {
    const { fakes, registry } = broker();
    const account = await proven(registry, server, { user: 'alice' });
    fakes.outcome = 'refused';
    await expect(registry.prove(name, credentials, job())).rejects.toMatchObject({ kind: 'IMAP_AUTH_FAILED' });
    expect(registry.get(key)).toBe(account);
    expect(account.stats).toEqual({ idle: 1, busy: 0, watching: 0, connecting: 0, waiting: 0 });
    expect(await account.run(job(), async () => 'served')).toBe('served');
  });

  it('at the cap of the account ends one idle connection, not all', async () => {
    const { fakes, registry } = broker({ connectionsPerAccount: 3 });
    const account = await proven(registry, server, { user: 'alice' });
    await Promise.all([1, 2, 3].map(() => account.run(job(), () => tick())));
    expect(account.stats.idle).toBe(3);
    fakes.turns = 10;
    const proving = registry.prove(name, credentials, job());
    for (let times = 0; times < 5; times += 1) {
      account.wake();
      await tick();
    }
    await proving;
    expect(fakes.logouts).toBe(1);
    expect(account.stats.idle).toBe(3);
  });
});
