import { getEventListeners } from 'node:events';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { clientOn } from '../../src/client/client.js';
import { type Client, type ClientOptions, createClient, RpcError, type WatchOptions } from '../../src/client/index.js';
import type { Connect, TransportEnd, TransportEvents } from '../../src/client/transport.js';
import { connectNode } from '../../src/client/transport-node.js';
import { encodeStreamFrame, StreamFrameType } from '../../src/protocol/frames.js';
import { BODY, HostileBroker, type HostileSocket, hello } from '../support/hostile-broker.js';
import { nonsense, wrongResults } from './hostile-frames.js';

const warnings: Error[] = [];
const onWarning = (warning: Error) => warnings.push(warning);
beforeAll(() => void process.on('warning', onWarning));
afterAll(() => {
  process.off('warning', onWarning);
  expect(warnings).toEqual([]);
});

function clientOf(broker: HostileBroker, options: Partial<ClientOptions> = {}): Client {
  const client = createClient({ url: broker.url, token: 'good', ...options });
  onTestFinished(() => client.close());
  return client;
}

const textOf = async (body: ReadableStream<Uint8Array>) => {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks).toString('latin1');
};
const named = { session: 's', mailbox: 'INBOX', uidValidity: 1, uid: 1 };
const watching: WatchOptions = { session: 's', mailboxes: ['INBOX'], onEvent: () => {}, onResync: () => {} };

/** Does what the test says with the first request, and answers all others honestly. */
function misbehaveOnce(broker: HostileBroker, misbehave: (socket: HostileSocket, id: number) => void): void {
  broker.onRequest = (request, socket) => {
    broker.reform();
    misbehave(socket, request.id);
  };
}

describe('a client whose broker sends, instead of the answer to a request,', () => {
  it.each(Object.entries(nonsense))(
    '%s, ends the socket with the reason, and goes on',
    async (_what, [frame, complaint]) => {
      const broker = await HostileBroker.start();
      const client = clientOf(broker);
      misbehaveOnce(broker, (socket) => socket.send(frame));
      const write = client.mailbox.create({ session: 's', mailbox: 'a' });
      await expect(write).rejects.toMatchObject({ kind: 'CONNECTION_LOST', executed: 'maybe' });
      await expect(write).rejects.toThrow(complaint);
      expect(await broker.sockets[0]?.closed).toBe(4400);
      expect(await client.broker.ping()).toMatchObject({ version: '1.2.3' });
      expect(broker.sockets).toHaveLength(2);
    },
  );

  it.each(wrongResults)('to %s %j, sends the request again on another', async (method, result) => {
    const broker = await HostileBroker.start();
    const client = clientOf(broker);
    misbehaveOnce(broker, (socket, id) => socket.send({ jsonrpc: '2.0', id, result }));
    if (method === 'watch.start') expect((await client.watch(watching)).mailboxes).toHaveLength(1);
    else expect(await textOf((await client.message.source(named)).body)).toBe(BODY.toString());
    expect(await broker.sockets[0]?.closed).toBe(4400);
  });

  it.each([
    ['a frame of more than 64 MiB', Uint8Array.of(0x81, 127, 0, 0, 0, 0, 4, 0, 0, 1)],
    ['what is no WebSocket frame', Uint8Array.of(0xf1, 1, 2, 3)],
    ['text that is no UTF-8', Uint8Array.of(0x81, 1, 0xff)],
  ])('%s, sends a read again on another', async (_what, bytes) => {
    const broker = await HostileBroker.start();
    const client = clientOf(broker);
    misbehaveOnce(broker, (socket) => socket.sendRaw(bytes));
    expect(await client.broker.ping()).toMatchObject({ version: '1.2.3' });
    expect(broker.sockets).toHaveLength(2);
  });

  it('the same answer twice, ends the socket', async () => {
    const broker = await HostileBroker.start();
    const client = clientOf(broker);
    misbehaveOnce(broker, (socket, id) => {
      const [answer = ''] = socket.honest({ id, method: 'broker.ping' });
      socket.send(answer, answer);
    });
    expect(await client.broker.ping()).toMatchObject({ version: '1.2.3' });
    expect(await broker.sockets[0]?.closed).toBe(4400);
    expect(await client.broker.ping()).toMatchObject({ version: '1.2.3' });
  });

  it('an error of a kind that every object has, rejects with an error', async () => {
    const broker = await HostileBroker.start();
    const client = clientOf(broker);
    const data = { kind: 'constructor', executed: 'no' };
    misbehaveOnce(broker, (socket, id) =>
      socket.send({ jsonrpc: '2.0', id, error: { code: 1, message: 'odd', data } }),
    );
    const refused = client.broker.ping();
    await expect(refused).rejects.toBeInstanceOf(RpcError);
    await expect(refused).rejects.toMatchObject({ kind: 'constructor', message: 'odd' });
  });
});

describe('a client whose broker, instead of its hello, sends', () => {
  it.each([
    ...Object.entries(nonsense).filter(([what]) => what !== 'a second hello'),
    ['a hello with a heartbeat of no length', [{ ...hello, params: { ...hello.params, heartbeatMs: 0 } }, '']] as const,
    ['an event that came early', [{ jsonrpc: '2.0', method: 'novelty' }, '']] as const,
  ])('%s, connects again', async (_what, [frame]) => {
    const broker = await HostileBroker.start();
    broker.onConnect = (socket) => {
      broker.reform();
      socket.send(frame);
    };
    expect(await clientOf(broker).broker.ping()).toMatchObject({ version: '1.2.3' });
    expect(broker.sockets).toHaveLength(2);
  });

  it('what it drains at once, does not connect without a pause', async () => {
    const broker = await HostileBroker.start();
    broker.onConnect = (socket) => {
      socket.send(hello, { jsonrpc: '2.0', method: 'broker.draining', params: { graceMs: 1 } });
    };
    const refused = clientOf(broker).broker.ping({ timeoutMs: 1000 });
    await expect(refused).rejects.toMatchObject({ kind: 'DEADLINE', executed: 'no' });
    expect(broker.sockets.length).toBeLessThan(50);
  });

  it('a heartbeat of a hundred years, waits for it without a warning', async () => {
    const broker = await HostileBroker.start();
    broker.onConnect = (socket) => {
      socket.send({ ...hello, params: { ...hello.params, heartbeatMs: 3_155_760_000_000 } });
    };
    const client = clientOf(broker);
    await client.broker.ping();
    await client.broker.ping();
    expect(broker.sockets).toHaveLength(1);
  });
});

describe('a download', () => {
  const frames = (socket: HostileSocket, id: number) => {
    const stream = socket.newStream();
    return { stream, answer: { jsonrpc: '2.0', id, result: { size: 5, stream, data: null } } };
  };
  const abort = (stream: number, reason: string) =>
    encodeStreamFrame(StreamFrameType.ABORT, stream, Buffer.from(reason));

  it('that is aborted right behind its answer fails with the reason of the broker', async () => {
    const broker = await HostileBroker.start();
    misbehaveOnce(broker, (socket, id) => {
      const { stream, answer } = frames(socket, id);
      socket.send(answer, abort(stream, '{"kind":"NOT_FOUND","message":"It has just vanished."}'));
    });
    const { body } = await clientOf(broker).message.source(named);
    await expect(textOf(body)).rejects.toMatchObject({ kind: 'NOT_FOUND', message: 'It has just vanished.' });
  });

  it('whose abort has a reason that cannot be read fails all the same', async () => {
    const broker = await HostileBroker.start();
    misbehaveOnce(broker, (socket, id) => {
      const { stream, answer } = frames(socket, id);
      socket.send(answer, abort(stream, '{"kind":5'));
    });
    const { body } = await clientOf(broker).message.source(named);
    await expect(textOf(body)).rejects.toMatchObject({
      kind: 'CONNECTION_LOST',
      message: 'The broker aborted the stream.',
    });
  });

  it('of more bytes than its credit ends the socket, and holds none of them', async () => {
    const broker = await HostileBroker.start();
    misbehaveOnce(broker, (socket, id) => {
      const { stream, answer } = frames(socket, id);
      const full = encodeStreamFrame(StreamFrameType.DATA, stream, new Uint8Array(65_536));
      socket.send(answer, full, full, full, full, encodeStreamFrame(StreamFrameType.DATA, stream, Uint8Array.of(1)));
    });
    const { body } = await clientOf(broker).message.source(named);
    // Nothing is read meanwhile, which would return credit.
    expect(await broker.sockets[0]?.closed).toBe(4400);
    await expect(textOf(body)).rejects.toThrow('more bytes of stream 2 than its credit');
  });

  it('in pieces of one byte and of none is whole', async () => {
    const broker = await HostileBroker.start();
    const content = Buffer.alloc(20_000, 'abcdefg');
    misbehaveOnce(broker, (socket, id) => {
      const { stream, answer } = frames(socket, id);
      const pieces = [...content].flatMap((byte) => [
        encodeStreamFrame(StreamFrameType.DATA, stream),
        encodeStreamFrame(StreamFrameType.DATA, stream, Uint8Array.of(byte)),
      ]);
      socket.send(answer, ...pieces, encodeStreamFrame(StreamFrameType.END, stream));
    });
    const { body } = await clientOf(broker).message.source(named);
    expect(await textOf(body)).toBe(content.toString());
  });

  it('whose frames go on behind its end is not disturbed', async () => {
    const broker = await HostileBroker.start();
    misbehaveOnce(broker, (socket, id) => {
      const honest = socket.honest({ id, method: 'message.source' });
      socket.send(...honest, ...honest.slice(1));
    });
    const client = clientOf(broker);
    expect(await textOf((await client.message.source(named)).body)).toBe(BODY.toString());
    await client.broker.ping();
    expect(broker.sockets).toHaveLength(1);
  });

  it('that is answered to a caller who has cancelled is given up', async () => {
    const broker = await HostileBroker.start();
    let asked = 0;
    const stop = new AbortController();
    broker.onRequest = ({ id, method, params }, socket) => {
      if (method === 'message.source') {
        asked = id;
        stop.abort();
      } else if (method === '$/cancelRequest') {
        expect(params.id).toBe(asked);
        socket.send(...socket.honest({ id: asked, method: 'message.source' }).slice(0, 2));
      } else {
        socket.answer({ id, method, params });
      }
    };
    const client = clientOf(broker);
    const gone = client.message.source(named, { signal: stop.signal });
    await expect(gone).rejects.toMatchObject({ kind: 'CANCELLED', executed: 'no' });
    await client.broker.ping();
    expect(broker.sockets[0]?.binary).toEqual([Buffer.from(encodeStreamFrame(StreamFrameType.ABORT, 2))]);
  });

  it('that is answered after its caller has gone is given up', async () => {
    const broker = await HostileBroker.start();
    let asked = 0;
    broker.onRequest = (request, socket) => {
      if (request.method === 'message.source') asked = request.id;
      else socket.answer(request);
    };
    const client = clientOf(broker);
    await client.broker.ping();
    await expect(client.message.source({ ...named, timeoutMs: 1 })).rejects.toMatchObject({ kind: 'DEADLINE' });
    const [socket] = broker.sockets;
    socket?.send(...socket.honest({ id: asked, method: 'message.source' }));
    await client.broker.ping();
    expect(socket?.binary).toEqual([Buffer.from(encodeStreamFrame(StreamFrameType.ABORT, 2))]);
  });
});

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
      { url: 'ws://broker' },
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
