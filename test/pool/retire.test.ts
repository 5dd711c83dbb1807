import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { upstream } from '../support/upstream.js';
import { waitFor } from '../support/wait-for.js';
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
    await waitFor(() => expect(fakes.logouts).toBe(1));
    expect(fakes.logins).toBe(2);
    await waitFor(() => expect([...fakes.open]).toHaveLength(1));
    expect(await ask()).not.toBe(old);
    expect(fakes.logins).toBe(2);
  });

  it('ends at once where there is room for no other', async () => {
    const { fakes, registry, old, ask } = await aged({ connectionsPerAccount: 1 });
    expect(await ask()).toBe(old);
    await waitFor(() => expect(registry.caps.total).toBe(0));
    expect(await ask()).not.toBe(old);
    expect(fakes.logins).toBe(2);
  });

  it('ends when its successor cannot be had', async () => {
    const { fakes, registry, ask } = await aged({ connectionsPerAccount: 2 });
    fakes.outcome = 'unavailable';
    await ask();
    await waitFor(() => expect(registry.caps.total).toBe(0));
  });

  it('is one whose access token ends soon, where there is a newer token', async () => {
    const fakes = new FakeServers();
    const registry = registryWith({ connectionsPerAccount: 3 }, fakes.connect);
    const name = { tenant: 't', server, user: 'anna' };
    const until = (ms: number) => Date.now() + ms;
    const first = { user: 'anna', accessToken: 'first', expiresAt: until(100_000) };
    const account = await registry.prove(name, first, job());
    const [old] = fakes.open;
    vi.setSystemTime(until(50_000));
    await account.run(job(), async () => {});
    expect(fakes.logins).toBe(1);
    await registry.prove(name, { user: 'anna', accessToken: 'second', expiresAt: until(100_000) }, job());
    for (let count = 0; count < 4; count += 1) await account.run(job(), async () => {});
    account.sweep();
    await waitFor(() => expect([...fakes.open]).not.toContain(old));
    expect(fakes.open.size).toBeGreaterThan(0);
  });

  it('does not end in the same moment as all that were made with it', async () => {
    const fakes = new FakeServers();
    const registry = registryWith({ maxAgeMs: MAX_AGE }, fakes.connect);
    const accounts = await Promise.all(Array.from({ length: 60 }, () => proven(registry, server)));
    const ended: number[] = [];
    const begun = Date.now();
    for (let share = 0.79; share <= 1.01; share += 0.01) {
      vi.setSystemTime(begun + share * MAX_AGE);
      const before = fakes.logins;
      for (const account of accounts) account.sweep();
      await waitFor(() => expect(fakes.open.size).toBe(60));
      ended.push(fakes.logins - before);
    }
    expect(ended[0]).toBe(0);
    expect(ended.reduce((sum, count) => sum + count, 0)).toBe(60);
    // All 60 at once before.
    expect(Math.max(...ended)).toBeLessThan(20);
  });
});
