import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import { HostileBroker } from '../support/hostile-broker.js';
import { clientOf, expectNoWarnings, watching } from './hostile-client.js';

expectNoWarnings();

describe('an AbortSignal that many calls share', () => {
  it('has one listener, and none when they are answered', async () => {
    const broker = await HostileBroker.start();
    const client = clientOf(broker);
    const { signal } = new AbortController();
    const calls = Array.from({ length: 30 }, () => client.broker.ping({}, { signal }));
    expect(getEventListeners(signal, 'abort')).toHaveLength(1);
    await Promise.all(calls);
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });

  it('cancels each of them, and watches, of all clients', async () => {
    const broker = await HostileBroker.start();
    const clients = [clientOf(broker), clientOf(broker)];
    const stop = new AbortController();
    await Promise.all(
      clients.flatMap((client) => Array.from({ length: 20 }, () => client.watch({ ...watching, signal: stop.signal }))),
    );
    broker.onRequest = ({ method, params }, socket) => {
      if (method !== '$/cancelRequest') return;
      const data = { kind: 'CANCELLED', executed: 'no' };
      socket.send({ jsonrpc: '2.0', id: params.id, error: { code: -32800, message: 'cancelled', data } });
    };
    const calls = clients.flatMap((client) => Array.from({ length: 20 }, () => client.broker.ping({}, stop)));
    expect(getEventListeners(stop.signal, 'abort')).toHaveLength(1);
    stop.abort();
    for (const call of await Promise.allSettled(calls)) expect(call).toMatchObject({ reason: { kind: 'CANCELLED' } });
    expect(getEventListeners(stop.signal, 'abort')).toEqual([]);
  });
});
