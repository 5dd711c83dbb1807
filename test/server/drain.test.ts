import { describe, expect, it } from 'vitest';
import { tenantWith } from '../../src/session/tenant.js';
import { hashToken } from '../../src/session/tenants.js';
import { RawClient } from './raw-client.js';
import { signal, stubBroker } from './stub-broker.js';

describe('a draining listener', () => {
  it('takes no new sockets and no new requests, finishes what runs, then closes with 1001', async () => {
    const gate = signal();
    const { connect, listener, url } = await stubBroker({
      handlers: { 'broker.ping': async () => gate.fired.then(() => ({ done: true })) },
    });
    const [busy, idle] = [await connect(), await connect()];
    const running = busy.ask('broker.ping');
    await busy.request('rpc.discover');
    const drained = listener.drain(10_000);
    const told = await busy.until(() => busy.notification('broker.draining'));
    expect(told.params).toEqual({ graceMs: 10_000 });
    expect(await idle.closed).toBe(1001);
    expect((await busy.request('rpc.discover')).error).toMatchObject({ code: -32015, data: { executed: 'no' } });
    await expect(RawClient.open(url)).rejects.toThrow('ECONNREFUSED');
    gate.fire();
    expect(await busy.answer(running)).toMatchObject({ result: { done: true } });
    expect(await busy.closed).toBe(1001);
    await drained;
  });

  it('refuses what was sent before its peer could know, rather than to leave it unanswered', async () => {
    const { connect, listener } = await stubBroker();
    const client = await connect();
    const drained = listener.drain(10_000);
    expect((await client.request('rpc.discover')).error).toMatchObject({ code: -32015, data: { executed: 'no' } });
    await drained;
    expect(await client.closed).toBe(1001);
  }, 5000);

  it('lets a download come to its end, without waiting for anything else', async () => {
    const { connect, listener } = await stubBroker({
      handlers: {
        'broker.ping': async ({ streams }) => {
          const stream = streams.open();
          void stream.write(Buffer.alloc(300_000)).then(() => stream.end());
          return { stream: stream.id };
        },
      },
    });
    const client = await connect();
    const { result } = await client.request('broker.ping');
    const drained = listener.drain(15_000);
    await client.until(() => client.notification('broker.draining'));
    client.notify('$/credit', { stream: result?.stream, bytes: 100_000 });
    await client.until(() => client.framesOf(result?.stream as number, 'END')[0]);
    await drained;
    expect(await client.closed).toBe(1001);
  }, 5000);

  it('ends what is not done within the grace, and says so', async () => {
    const reason = signal<unknown>();
    const { connect, listener } = await stubBroker({
      handlers: {
        'broker.ping': ({ signal: aborted }) =>
          new Promise((_resolve, reject) =>
            aborted.addEventListener('abort', () => {
              reason.fire(aborted.reason);
              reject(aborted.reason);
            }),
          ),
      },
    });
    const client = await connect();
    const running = client.ask('broker.ping');
    await client.request('rpc.discover');
    await listener.drain(30);
    expect(await reason.fired).toMatchObject({ kind: 'DRAINING' });
    expect(await client.answer(running)).toMatchObject({ error: { data: { kind: 'DRAINING' } } });
    expect(await client.closed).toBe(1001);
  });

  it('ends a stream that is not read within the grace, and says so before it closes', async () => {
    const { connect, listener } = await stubBroker({
      handlers: {
        'broker.ping': async ({ streams }) => {
          const stream = streams.open();
          void stream.write(Buffer.alloc(1_000_000)).catch(() => {});
          return { stream: stream.id };
        },
      },
    });
    const client = await connect();
    const { result } = await client.request('broker.ping');
    await listener.drain(30);
    expect(client.framesOf(result?.stream as number, 'ABORT')).toHaveLength(1);
    expect(await client.closed).toBe(1001);
  });

  it('is not kept by an operator who looks on, and is answered until the end', async () => {
    const tenants = [tenantWith({ name: 'operators', tokenHashes: [hashToken('good')], scopes: ['admin'] })];
    const { connect, listener } = await stubBroker({ tenants });
    const client = await connect();
    await listener.drain(50);
    expect(await client.request('broker.remaining')).toMatchObject({ result: {} });
    await listener.close();
    expect(await client.closed).toBe(1001);
  }, 5000);

  it('is not kept by a peer that never reads', async () => {
    const { connect, listener } = await stubBroker();
    const client = await connect();
    client.ws.pause();
    await listener.drain(50);
    expect(listener.sockets).toBe(0);
  });
});
