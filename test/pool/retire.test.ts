import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { upstream } from '../support/upstream.js';
import { FakeServers } from './fake-server.js';
import { job, proven, registryWith } from './fixtures.js';

const server = upstream('fake', 1, { tls: 'none', secureContext: undefined });
const MAX_AGE = 60_000;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'] });
});
afterEach(() => {
  vi.useRealTimers();
});

/** An account with one connection, which is too old. */
async function aged(limits: { connectionsPerAccount: number }) {
  const fakes = new FakeServers();
  const registry = registryWith({ ...limits, maxAgeMs: MAX_AGE }, fakes.connect);
  const account = await proven(registry, server);
  const [old] = fakes.open;
  vi.setSystemTime(Date.now() + MAX_AGE + 1);
  const ask = () => account.run(job(), async (connection) => connection as unknown);
  return { fakes, registry, account, old, ask };
}

describe('a connection that is too old', () => {
  it('serves on until another is there, and no request waits for the login', async () => {
    const { fakes, old, ask } = await aged({ connectionsPerAccount: 2 });
    fakes.outcome = 'hang';
    for (let count = 0; count < 5; count += 1) expect(await ask()).toBe(old);
    expect(fakes.logins).toBe(2);
    expect(fakes.logouts).toBe(0);
  });

  it('ends as soon as another is there, once', async () => {
    const { fakes, old, ask } = await aged({ connectionsPerAccount: 2 });
    await ask();
    await vi.waitFor(() => expect(fakes.logouts).toBe(1));
    expect(fakes.logins).toBe(2);
    expect([...fakes.open]).toHaveLength(1);
    expect(await ask()).not.toBe(old);
    expect(fakes.logins).toBe(2);
  });

  it('ends at once where there is room for no other', async () => {
    const { fakes, registry, old, ask } = await aged({ connectionsPerAccount: 1 });
    expect(await ask()).toBe(old);
    await vi.waitFor(() => expect(registry.slots.total).toBe(0));
    expect(await ask()).not.toBe(old);
    expect(fakes.logins).toBe(2);
  });

  it('ends when its successor cannot be had', async () => {
    const { fakes, registry, ask } = await aged({ connectionsPerAccount: 2 });
    fakes.outcome = 'unavailable';
    await ask();
    await vi.waitFor(() => expect(registry.slots.total).toBe(0));
  });
});
