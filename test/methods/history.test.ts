import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { STEP_MS } from '../../src/runtime/load/load.js';
import { tenantWith } from '../../src/session/tenant.js';
import { hashToken } from '../../src/session/tenants.js';
import { newUser } from '../support/dovecot.js';
import { OperatedBroker } from '../support/operated-broker.js';
import { RawClient, TOKEN } from '../support/running-broker.js';

let broker: OperatedBroker;
let operator: RawClient;
beforeAll(async () => {
  // The timer of the steps alone is the test's: it is made first of all.
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  broker = await OperatedBroker.start(() => ({
    checkResults: true,
    tenants: [
      tenantWith({ name: 'webmail', tokenHashes: [hashToken(TOKEN)] }),
      tenantWith({ name: 'operators', tokenHashes: [hashToken('operator')], scopes: ['admin'] }),
    ],
  }));
  operator = await RawClient.open(broker.broker.url, 'operator');
});
afterAll(async () => {
  await operator.close();
  await broker.stop();
  vi.useRealTimers();
});

it('broker.history has a figure for each step, and none before the first has ended', async () => {
  const before = await operator.call('broker.history', {});
  expect(before).toMatchObject({ stepMs: STEP_MS, endedAt: null, columns: { requestsPerSecond: [], p99Ms: [] } });
  const session = await broker.client.login(newUser('anna'));
  await broker.client.call('mailbox.list', { session });
  await broker.client.request('mailbox.list', { session: 'none' }).answer.catch(() => {});
  vi.advanceTimersByTime(STEP_MS);
  vi.advanceTimersByTime(STEP_MS);
  const { endedAt, columns } = await operator.call('broker.history', {});
  expect(Math.abs(Date.now() - Date.parse(endedAt ?? ''))).toBeLessThan(10_000);
  expect(columns).toMatchObject({
    ...{ requestsPerSecond: [0.2, 0], failedPerSecond: [0.07, 0], loginsPerSecond: [0.07, 0] },
    ...{ running: [0, 0], waiting: [0, 0], busy: [0, 0], idle: [1, 1], watching: [0, 0], accounts: [1, 1] },
    ...{ p50Ms: [expect.any(Number), null], p99Ms: [expect.any(Number), null] },
    ...{ eventLoopLagMs: [expect.any(Number), expect.any(Number)] },
  });
  expect(columns.commandsPerSecond[0]).toBeGreaterThan(0);
  expect(columns.residentBytes[0]).toBeGreaterThan(1_000_000);
});

it('account.list tells of each account how much it asks for and how long that takes, and sorts by it', async () => {
  const [busy, slow] = [newUser('busy'), newUser('slow')];
  const session = await broker.client.login(busy);
  await broker.client.login(slow);
  for (let count = 0; count < 20; count += 1) await broker.client.call('mailbox.list', { session, maxAgeMs: 60_000 });
  const sorted = async (sort: 'requests' | 'latency') => (await operator.call('account.list', { sort })).accounts;
  const [most] = await sorted('requests');
  expect(most).toMatchObject({ user: busy, latencyMs: { p50: expect.any(Number), p99: expect.any(Number) } });
  expect(most?.perSecond).toBeGreaterThan(0.5);
  const times = (await sorted('latency')).map(({ latencyMs }) => latencyMs?.p95 ?? 0);
  expect(times.length).toBeGreaterThan(2);
  expect(times).toEqual(times.toSorted((a, b) => b - a));
});

it('errors are told by kind and application, with how many a second', async () => {
  await broker.client.request('session.open', { server: 'nowhere' }).answer.catch(() => {});
  const { errors } = await operator.call('broker.status', {});
  expect(errors).toContainEqual({
    ...{ kind: 'INVALID_PARAMS', tenant: 'webmail', count: 1 },
    perSecond: expect.any(Number),
  });
});
