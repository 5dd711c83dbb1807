import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { clientOn } from '../../src/client/client.js';
import { createClient, type WatchOptions } from '../../src/client/index.js';
import type { Connect, TransportEnd, TransportEvents } from '../../src/client/transport.js';
import { connectNode } from '../../src/client/transport-node.js';
import { HostileBroker } from '../support/hostile-broker.js';
import { clientOf, expectNoWarnings, watching } from './hostile-client.js';

expectNoWarnings();

describe('a client', () => {
  it('reads of an upload only what the socket takes, however much credit there is', async () => {
    const broker = await HostileBroker.start();
    broker.onRequest = ({ id }, socket) => {
      if (id === undefined) return;
      socket.send({ jsonrpc: '2.0', method: '$/credit', params: { stream: 1, bytes: 1_073_741_824 } });
      socket.deafen();
    };
    const chunk = new Uint8Array(64 * 1024);
    const size = 64 * 1024 * 1024;
    let pulled = 0;
    const content = new ReadableStream<Uint8Array>({
      pull: (controller) => {
        pulled += chunk.length;
        controller.enqueue(chunk);
        if (pulled >= size) controller.close();
      },
    });
    const stop = new AbortController();
    const appending = clientOf(broker).message.append({ session: 's', mailbox: 'INBOX', content, size }, stop);
    appending.catch(() => {});
    // Until it stands still for many turns of the loop, well above what the kernel takes at once.
    for (let turns = 0, before = -1; turns < 2000; before = pulled) {
      await new Promise(setImmediate);
      turns = pulled > 0 && pulled === before ? turns + 1 : 0;
    }
    expect(pulled).toBeLessThan(size / 2);
  });

  it('ends a socket that leaves more than 1,000 requests without an answer', async () => {
    const broker = await HostileBroker.start();
    const client = clientOf(broker, { maxPending: 2000 });
    const asked = new Promise<void>((resolve) => {
      broker.onRequest = ({ id }) => id === 1001 && resolve();
    });
    const stop = new AbortController();
    const gone = Array.from({ length: 1001 }, () => client.broker.ping({}, stop));
    await Promise.race([...gone, asked]);
    stop.abort();
    for (const one of await Promise.allSettled(gone)) expect(one).toMatchObject({ reason: { kind: 'CANCELLED' } });
    expect(await broker.sockets[0]?.closed).toBe(4400);
  });

  it('that is closed ends its socket although the broker does not answer the close', async () => {
    const broker = await HostileBroker.start();
    let onClosed = () => {};
    const closed = new Promise<void>((resolve) => {
      onClosed = resolve;
    });
    const connect: Connect = (target, events) => {
      const onClose = (end: TransportEnd) => {
        events.onClose(end);
        onClosed();
      };
      return connectNode(target, { ...events, onClose });
    };
    const client = clientOn(connect, { url: broker.url });
    await client.broker.ping();
    broker.sockets[0]?.deafen();
    client.close();
    // By default a WebSocket waits for half a minute, and so would a program that ends.
    await closed;
  }, 10_000);

  it('does not wait longer than ten seconds for a handshake, though its bytes come one by one', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
    onTestFinished(() => void vi.useRealTimers());
    const server = createServer().listen(0, '127.0.0.1');
    onTestFinished(() => void server.close());
    await once(server, 'listening');
    const url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const client = createClient({ url, connectTimeoutMs: 20_000 });
    onTestFinished(() => client.close());
    const refused = client.broker.ping({ timeoutMs: 10_001 });
    const rejected = expect(refused).rejects.toThrow('no WebSocket within 10000 ms');
    const [socket] = (await once(server, 'connection')) as [Socket];
    socket.on('error', () => {});
    const ended = once(socket.resume(), 'close');
    for (const byte of 'HTTP/1.1 1') {
      socket.write(byte);
      await vi.advanceTimersByTimeAsync(1000);
    }
    await ended;
    await vi.advanceTimersByTimeAsync(1);
    await rejected;
  });

  it('does not wait longer than ten seconds for a hello, whatever else is a sign of life', async () => {
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    const ends: Array<number | undefined> = [];
    const told: TransportEvents[] = [];
    const client = clientOn(
      (_target, events) => {
        told.push(events);
        const terminate = (code?: number) => ends.push(code);
        return { send: () => {}, bufferedBytes: 0, close: () => {}, terminate };
      },
      { url: 'ws://broker', connectTimeoutMs: 20_000 },
    );
    const refused = client.broker.ping({ timeoutMs: 15_000 });
    const rejected = expect(refused).rejects.toThrow('said no hello');
    told[0]?.onOpen();
    await vi.advanceTimersByTimeAsync(9_000);
    told[0]?.onPing();
    expect(ends).toEqual([]);
    await vi.advanceTimersByTimeAsync(1_001);
    expect(ends).toEqual([undefined]);
    await vi.advanceTimersByTimeAsync(5_000);
    await rejected;
    expect(told.length).toBeGreaterThan(1);
    client.close();
    expect(vi.getTimerCount()).toBe(0);
  });

  it('is not harmed by what its callbacks throw', async () => {
    const broker = await HostileBroker.start();
    let hellos = 0;
    const client = clientOf(broker, {
      onHello: () => {
        hellos += 1;
        throw new Error('a fault of the application');
      },
      onExpiring: async () => {
        throw new Error('another');
      },
    });
    const params = { server: 'a', user: 'b', what: 'session', expiresAt: '2026-01-01T00:00:00Z' };
    broker.onRequest = (request, socket) => {
      socket.send({ jsonrpc: '2.0', method: 'session.expiring', params });
      socket.answer(request);
    };
    await client.broker.ping();
    await client.broker.ping();
    expect(hellos).toBe(1);
    expect(broker.sockets).toHaveLength(1);
  });

  it.each([[[5]], ['INBOX'], [undefined]])('rejects a watch of %j, and nothing else', async (mailboxes) => {
    const broker = await HostileBroker.start();
    const client = clientOf(broker);
    await client.broker.ping();
    broker.onRequest = ({ id }, socket) => {
      const data = { kind: 'INVALID_PARAMS', executed: 'no' };
      socket.send({ jsonrpc: '2.0', id, error: { code: -32602, message: 'mailboxes: no names', data } });
    };
    const wrong = { ...watching, mailboxes } as unknown as WatchOptions;
    await expect(client.watch(wrong)).rejects.toBeInstanceOf(TypeError);
    broker.reform();
    await client.broker.ping();
  });

  it('refuses content that is read elsewhere before anything is sent', async () => {
    const client = clientOf(await HostileBroker.start());
    const content = new ReadableStream<Uint8Array>();
    content.getReader();
    const appending = client.message.append({ session: 's', mailbox: 'INBOX', content, size: 5 });
    await expect(appending).rejects.toMatchObject({ kind: 'INVALID_PARAMS', field: 'content', executed: 'no' });
  });

  it('leaves nothing of a call whose params are no JSON', async () => {
    const broker = await HostileBroker.start();
    const client = clientOf(broker, { maxPending: 1 });
    await client.broker.ping();
    const params = { session: 's', mailbox: 1n as unknown as string };
    await expect(client.mailbox.create(params)).rejects.toBeInstanceOf(TypeError);
    await client.broker.ping();
  });
});
