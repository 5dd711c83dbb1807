import { expect, it } from 'vitest';
import { LoginError } from '../../src/imap/login/login-error.js';
import { addPoolMetrics } from '../../src/pool/observe/pool-metrics.js';
import type { PoolLimits } from '../../src/pool/pool-limits.js';
import type { Registry } from '../../src/pool/registry.js';
import { BrokerError } from '../../src/protocol/errors.js';
import { Metrics } from '../../src/runtime/metrics.js';
import { samplesOf } from '../support/scrape.js';
import { upstream } from '../support/upstream.js';
import { FakeServers } from './fake-server.js';
import { holding, job, proven, registryWith } from './fixtures.js';

const server = upstream('main', 1, { tls: 'none', secureContext: undefined });

function measured(limits: Partial<PoolLimits> = {}) {
  const servers = new FakeServers();
  const registry = registryWith(limits, servers.connect);
  const metrics = new Metrics();
  addPoolMetrics(metrics, registry, () => ['main', 'other']);
  const samples = async () => samplesOf(await metrics.text());
  /** Values of a metric that are not 0, by the labels' values. */
  const of = async (name: string) =>
    Object.fromEntries(
      [...(await samples())]
        .filter(([key, value]) => key.startsWith(`imap_broker_${name}{`) && value !== 0)
        .map(([key, value]) => [[...key.matchAll(/"([^"]*)"/g)].map(([, label]) => label).join(' '), value]),
    );
  return { servers, registry, of, samples };
}

/** Resolves when so many connections have ended. */
function endings(registry: Registry, count: number): Promise<void> {
  return new Promise((resolve) => {
    let left = count;
    registry.events.endings.add(() => {
      left -= 1;
      if (left === 0) resolve();
    });
  });
}

it('connections are told by state, and those who wait', async () => {
  const { registry, of } = measured({ connectionsPerAccount: 1 });
  const account = await proven(registry, server, { user: 'anna' });
  expect(await of('connections')).toEqual({ 'main idle': 1 });
  const { end } = await holding(account);
  const waiting = account.run(job(), async () => {});
  expect(await of('connections')).toEqual({ 'main busy': 1 });
  expect(await of('jobs_waiting')).toEqual({ main: 1 });
  expect(await of('accounts')).toEqual({ main: 1 });
  expect(await of('slots_used')).toEqual({ main: 1 });
  await end();
  await waiting;
  expect(await of('pool_wait_seconds_count')).toEqual({ 'main interactive': 2 });
});

it('a server without any connection is told as such', async () => {
  const { samples } = measured();
  expect((await samples()).get('imap_broker_connections{server="other",state="idle"}')).toBe(0);
  expect((await samples()).get('imap_broker_breaker_open{server="other"}')).toBe(0);
});

it('logins are told by what became of them, and those that were not tried apart', async () => {
  const { servers, registry, of } = measured();
  await proven(registry, server, { user: 'anna' });
  servers.outcome = 'refused';
  await expect(proven(registry, server, { user: 'bert' })).rejects.toMatchObject({ kind: 'IMAP_AUTH_FAILED' });
  servers.outcome = 'unavailable';
  const fail = () => expect(proven(registry, server)).rejects.toMatchObject({ kind: 'UPSTREAM_UNAVAILABLE' });
  for (let turn = 0; turn < 5; turn += 1) await fail();
  expect(await of('logins_total')).toEqual({ 'main ok': 1, 'main refused': 1, 'main unavailable': 5 });
  expect(await of('login_duration_seconds_count')).toEqual({ main: 1 });
  expect(await of('server_failures')).toEqual({ main: 5 });
  expect(await of('breaker_open')).toEqual({ main: 1 });
  await fail();
  expect(await of('breaker_refusals_total')).toEqual({ main: 1 });
});

it('a login whose caller has gone is aborted, and one that is one too many is no wrong password', async () => {
  const { servers, registry, of } = measured();
  servers.outcome = 'hang';
  const controller = new AbortController();
  const gone = proven(registry, server, { signal: controller.signal });
  controller.abort(new BrokerError('CANCELLED', 'gone'));
  await expect(gone).rejects.toMatchObject({ kind: 'CANCELLED' });
  const imap = { status: 'NO' as const, code: 'LIMIT', text: 'too many' };
  registry.events.logins.tell({
    server: 'main',
    ms: 1,
    error: new LoginError('UPSTREAM_UNAVAILABLE', 'no', { stage: 'login', refusal: 'connections', imap }),
  });
  expect(await of('logins_total')).toEqual({ 'main aborted': 1, 'main too_many': 1 });
});

it('the end of a connection is told with its reason', async () => {
  const { registry, of } = measured({ connections: 1 });
  const anna = await proven(registry, server, { user: 'anna' });
  await anna.run(job(), async (connection) => connection.close());
  await proven(registry, server, { user: 'bert' });
  // There is room for one: the idle one gives way.
  await proven(registry, server, { user: 'carl' });
  expect(await of('connections_ended_total')).toEqual({ 'main discarded': 1, 'main evicted': 1 });
  const closed = endings(registry, 1);
  await registry.closeAll(0);
  await closed;
  expect(await of('connections_ended_total')).toMatchObject({ 'main closed': 1 });
});

it('connections that are idle for long are reaped, those that are old retired', async () => {
  const { registry, of } = measured({ idleMs: 1 });
  const reaped = endings(registry, 1);
  await proven(registry, server);
  await reaped;
  expect(await of('connections_ended_total')).toEqual({ 'main reaped': 1 });
  const old = measured({ maxAgeMs: -1, connectionsPerAccount: 1 });
  const retired = endings(old.registry, 1);
  await proven(old.registry, server);
  await retired;
  expect(await old.of('connections_ended_total')).toEqual({ 'main retired': 1 });
});

it('accounts that a server allows less than is configured are counted', async () => {
  const { registry, of } = measured();
  const account = await proven(registry, server);
  expect(await of('accounts_below_budget')).toEqual({});
  Object.defineProperty(account, 'budget', { value: 1 });
  expect(await of('accounts_below_budget')).toEqual({ main: 1 });
});
