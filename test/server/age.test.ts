import { describe, expect, it, onTestFinished } from 'vitest';
import { createClient } from '../../src/client/index.js';
import type { Registry } from '../../src/pool/registry.js';
import { tenantWith } from '../../src/session/tenant.js';
import { hashToken } from '../../src/session/tenants.js';
import { RawClient } from './raw-client.js';
import { signal, stubBroker } from './stub-broker.js';

const session = { session: 'live' };

/** A broker whose sockets come of age soon, and the accounts of which it gives connections back. */
async function aging(options: Parameters<typeof stubBroker>[0] = {}) {
  const given: string[] = [];
  const registry = {
    get: () => ({ key: 'k', admits: () => true }),
    giveBack: (key: string) => given.push(key),
  } as unknown as Registry;
  const broker = await stubBroker({
    ...options,
    limits: { ageMs: 100, movedMs: 20, ...options.limits },
    services: { registry, ...options.services },
  });
  return { ...broker, given };
}

describe('a socket that comes of age', () => {
  it('is told, answers what runs, refuses what is new, and closes; others stay', async () => {
    const gate = signal();
    const { connect } = await aging({
      handlers: { 'broker.ping': async () => gate.fired.then(() => ({ done: true })) },
      limits: { ageMs: 1_000 },
    });
    const old = await connect();
    const running = old.ask('broker.ping');
    const told = await old.until(() => old.notification('broker.draining'));
    expect(told.params).toEqual({ graceMs: 1_000 });
    const young = await connect();
    expect((await old.request('rpc.discover')).error).toMatchObject({ code: -32015, data: { executed: 'no' } });
    expect(young.notification('broker.draining')).toBeUndefined();
    expect((await young.request('rpc.discover')).result).toBeDefined();
    gate.fire();
    expect(await old.answer(running)).toMatchObject({ result: { done: true } });
    expect(await old.closed).toBe(1001);
  });

  it('comes of age at half of the time at the earliest, and not all at once', async () => {
    const { connect } = await aging({ limits: { ageMs: 400 } });
    const begun = performance.now();
    const ages = await Promise.all(
      Array.from({ length: 12 }, async () => {
        const client = await connect();
        await client.until(() => client.notification('broker.draining'));
        return performance.now() - begun;
      }),
    );
    expect(Math.min(...ages)).toBeGreaterThan(195);
    expect(Math.max(...ages) - Math.min(...ages)).toBeGreaterThan(5);
  });

  it('costs the typed client no request', async () => {
    const { url, logged } = await aging({ limits: { ageMs: 40 } });
    const client = createClient({ url, token: 'good' });
    onTestFinished(() => client.close());
    const opened = () => logged.filter(({ msg }) => msg === 'socket opened').length;
    while (opened() < 10) {
      await Promise.all(Array.from({ length: 5 }, () => client.broker.ping()));
      // So that the tenant's quota of requests a second is not used up.
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  });

  it('stays for operators', async () => {
    const { listener } = await aging({
      tenants: [tenantWith({ name: 'ops', tokenHashes: [hashToken('good')], scopes: ['admin'] })],
      limits: { ageMs: 1 },
    });
    const url = await listener.listen({ host: '127.0.0.1', port: 0 });
    const operator = await RawClient.open(url);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect((await operator.request('broker.status')).result).toBeDefined();
    expect(operator.notification('broker.draining')).toBeUndefined();
  });
});

describe('the connections of users whose socket came of age', () => {
  it('are given back where no socket takes its place', async () => {
    const { connect, given } = await aging();
    const client = await connect();
    await client.request('mailbox.list', session);
    await client.closed;
    await expect.poll(() => given).toEqual(['k']);
  });

  it('are given back where all sockets of the shard came of age together', async () => {
    const { url, given } = await aging({ limits: { movedMs: 200 } });
    const both = await Promise.all([RawClient.open(`${url}/?shard=3`), RawClient.open(`${url}/?shard=3`)]);
    await both[0].request('mailbox.list', session);
    await Promise.all(both.map(({ closed }) => closed));
    await expect.poll(() => given).toEqual(['k']);
  });

  it('are kept where another socket of the shard is there, or one that serves the same user', async () => {
    const { url, given } = await aging({ limits: { ageMs: 400 } });
    const old = await RawClient.open(`${url}/?shard=3`);
    await old.request('mailbox.list', session);
    await old.until(() => old.notification('broker.draining'));
    const successor = await RawClient.open(`${url}/?shard=3`);
    await old.closed;
    await successor.until(() => successor.notification('broker.draining'));
    const other = await RawClient.open(`${url}/?shard=4`);
    await other.request('mailbox.list', session);
    await successor.closed;
    expect(given).toEqual([]);
    await other.closed;
    await expect.poll(() => given).toEqual(['k']);
  });

  it('are kept where a socket was closed by its peer: a worker may come back at once', async () => {
    const { connect, given } = await aging({ limits: { ageMs: 200 } });
    const client = await connect();
    await client.request('mailbox.list', session);
    client.ws.close();
    await client.closed;
    const next = await connect();
    await next.closed;
    expect(given).toEqual([]);
  });
});
