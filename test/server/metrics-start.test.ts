import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Broker } from '../../src/broker/broker.js';
import { contract, type MethodName } from '../../src/protocol/contract.js';
import type { MethodDefinition } from '../../src/protocol/define.js';
import { errorsOf } from '../../src/protocol/openrpc.js';
import { idleBroker } from '../support/idle-broker.js';
import { page, samplesOf } from '../support/scrape.js';

let broker: Broker;
let body: string;
let samples: Map<string, number>;
beforeAll(async () => {
  broker = await idleBroker();
  ({ body } = await page(broker.monitorUrl, '/metrics'));
  samples = samplesOf(body);
});
afterAll(() => broker.stop());

describe('a broker that was started just now', () => {
  it('tells every counter of its own, each with 0', () => {
    const counters = broker.metrics.filter(({ type }) => type === 'counter').map(({ name }) => name);
    expect(counters.length).toBeGreaterThan(4);
    for (const name of counters) {
      const own = [...samples].filter(([sample]) => sample.startsWith(`${name}{`));
      expect(own.length, name).toBeGreaterThan(0);
      expect(own.filter(([, value]) => value !== 0)).toEqual([]);
    }
  });

  it.each(Object.keys(contract) as MethodName[])('tells each answer that %s can have', (method) => {
    const requests = (outcome: string, source: string) =>
      samples.get(`imap_broker_requests_total{method="${method}",outcome="${outcome}",source="${source}"}`);
    const definition: MethodDefinition = contract[method];
    for (const kind of errorsOf(definition)) expect(requests(kind, 'none'), kind).toBe(0);
    const sources = ['server', 'validated', 'cache', 'coalesced'];
    const told = [...sources, 'none'].filter((source) => requests('ok', source) !== undefined);
    expect([sources, ['none']]).toContainEqual(told);
  });

  it('tells which requests are answered from memory, of the methods whose answers say so', () => {
    expect(samples.get('imap_broker_requests_total{method="message.list",outcome="ok",source="validated"}')).toBe(0);
    expect(samples.has('imap_broker_requests_total{method="message.list",outcome="ok",source="none"}')).toBe(false);
    expect(samples.get('imap_broker_requests_total{method="session.open",outcome="ok",source="none"}')).toBe(0);
    expect(samples.get('imap_broker_requests_total{method="unknown",outcome="METHOD_NOT_FOUND",source="none"}')).toBe(
      0,
    );
  });

  it('tells each outcome of a login and each end of a connection, for each server', () => {
    const told = (name: string, label: string) =>
      [...body.matchAll(new RegExp(`^imap_broker_${name}\\{server="main",${label}="(\\w+)"\\} 0$`, 'gm'))].map(
        ([, value]) => value,
      );
    expect(told('logins_total', 'outcome')).toEqual([
      'ok',
      'refused',
      'token_expired',
      'too_many',
      'unavailable',
      'aborted',
    ]);
    expect(told('connections_ended_total', 'reason')).toEqual(['discarded', 'reaped', 'retired', 'evicted', 'closed']);
    expect(samples.get('imap_broker_breaker_refusals_total{server="main"}')).toBe(0);
  });

  it('tells no more than a scrape can bear', () => {
    expect(samples.size).toBeLessThan(2_000);
    expect(body.length).toBeLessThan(250_000);
  });
});
