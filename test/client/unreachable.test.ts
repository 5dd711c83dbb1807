import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { clientOn } from '../../src/client/client.js';
import { type Client, type ClientOptions, createClient, UnreachableError } from '../../src/client/index.js';
import type { TransportEvents } from '../../src/client/transport.js';
import { HostileBroker, hello } from '../support/hostile-broker.js';
import { freePorts } from '../support/ports.js';
import { expectNoWarnings } from './hostile-client.js';

expectNoWarnings();

function client(url: string, options: ClientOptions = {}) {
  const made = createClient({ url, connectTimeoutMs: 200, ...options });
  onTestFinished(() => made.close());
  return made;
}

/** Why there is no socket: the error of a call, on a machine with other work of one that comes later. */
async function refusalOf(made: Client): Promise<unknown> {
  for (;;) {
    const error = await made.broker.ping().catch((one: Error) => one);
    if (!(error instanceof Error) || !error.message.endsWith('It does not answer.')) return error;
  }
}

/** A server on TCP that does this to each connection. */
async function listening(onConnection: (socket: Socket) => void): Promise<number> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    onConnection(socket);
  }).listen(0, '127.0.0.1');
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

/** A Unix socket that does this to each connection, until it is gone with its connections and its file. */
async function holding(onConnection: (socket: Socket) => void): Promise<{ url: string; end(): void }> {
  const folder = mkdtempSync(join(tmpdir(), 'imap-broker-held-'));
  const path = join(folder, 'broker.sock');
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket.on('error', () => {}));
    onConnection(socket);
  }).listen(path);
  await once(server, 'listening');
  const end = () => {
    server.close();
    for (const socket of sockets) socket.destroy();
    rmSync(folder, { recursive: true, force: true });
  };
  onTestFinished(end);
  return { url: `unix:${path}`, end };
}

describe('a client that finds no broker', () => {
  it('says so in a few seconds, with the cause, and not after the deadline of the request', async () => {
    const [port = 0] = await freePorts(1);
    const before = performance.now();
    const refusal = await refusalOf(client(`ws://127.0.0.1:${port}`));
    expect(refusal).toBeInstanceOf(UnreachableError);
    expect(refusal).toMatchObject({
      kind: 'UNREACHABLE',
      executed: 'no',
      message: `No socket to the broker at ws://127.0.0.1:${port} within 200 ms. The socket to the broker did not open: connect ECONNREFUSED 127.0.0.1:${port}.`,
      cause: { code: 'ECONNREFUSED' },
    });
    expect(performance.now() - before).toBeLessThan(5_000);
  });

  it('says all reasons where a name has several addresses', async () => {
    const [port = 0] = await freePorts(1);
    expect(String(await refusalOf(client(`ws://localhost:${port}`)))).toMatch(/connect ECONNREFUSED/);
  });

  it('says that there is no such file, or host', async () => {
    expect(await refusalOf(client('unix:/nowhere/at/all.sock'))).toMatchObject({
      kind: 'UNREACHABLE',
      cause: { code: 'ENOENT' },
    });
    expect(await refusalOf(client('ws://broker.invalid'))).toMatchObject({
      kind: 'UNREACHABLE',
      message: expect.stringMatching(/ENOTFOUND|EAI_AGAIN/),
    });
  });

  it('does not wait for a server that takes the connection and says nothing', async () => {
    const port = await listening(() => {});
    await expect(client(`ws://127.0.0.1:${port}`).broker.ping()).rejects.toMatchObject({
      kind: 'UNREACHABLE',
      message: `No socket to the broker at ws://127.0.0.1:${port} within 200 ms. It does not answer.`,
    });
  });

  it('does not wait for a server that opens the WebSocket and says no hello', async () => {
    const broker = await HostileBroker.start();
    broker.onConnect = () => {};
    await expect(client(broker.url).broker.ping()).rejects.toMatchObject({ kind: 'UNREACHABLE', executed: 'no' });
  });

  it.each([
    ['TLS', 'wss', () => {}],
    ['what is no HTTP', 'ws', () => 'SSH-2.0-OpenSSH_9.2\r\n'],
    ['the page of a web server', 'ws', () => 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi'],
  ])('says what is wrong where it expects a broker and finds another server: %s', async (_what, scheme, answer) => {
    const port = await listening((socket) => {
      socket.once('data', () => socket.end(answer() ?? 'HTTP/1.1 400 Bad Request\r\n\r\n'));
    });
    expect(await refusalOf(client(`${scheme}://127.0.0.1:${port}`))).toMatchObject({
      kind: 'UNREACHABLE',
      message: expect.stringMatching(/did not open: .{5,}\.$/),
    });
  });

  it('waits at a Unix socket that takes connections, as systemd does for a broker that restarts', async () => {
    const held = await holding(() => {});
    const made = client(held.url, { connectTimeoutMs: 50 });
    await expect(made.broker.ping({ timeoutMs: 300 })).rejects.toMatchObject({ kind: 'DEADLINE', executed: 'no' });
    held.end();
    // A connect that was under way may have been cut.
    const gone = { kind: 'UNREACHABLE', cause: { code: 'ENOENT' } };
    await expect.poll(() => refusalOf(made)).toMatchObject(gone);
  });

  it('goes on waiting at a Unix socket whose broker is killed before it says anything: another may be started', async () => {
    let taken = 0;
    const held = await holding((socket) => {
      taken += 1;
      if (taken === 1) socket.once('data', () => socket.destroy());
    });
    const waiting = client(held.url, { connectTimeoutMs: 50 }).broker.ping({ timeoutMs: 500 });
    await expect(waiting).rejects.toMatchObject({ kind: 'DEADLINE', executed: 'no' });
    expect(taken).toBe(2);
  });

  it('stops waiting where a Unix socket is gone that took connections', async () => {
    const held = await holding(() => {});
    const made = client(held.url, { connectTimeoutMs: 50 });
    const waiting = made.broker.ping({ timeoutMs: 60_000 });
    const gone = expect(waiting).rejects.toMatchObject({ kind: 'UNREACHABLE', cause: { code: 'ENOENT' } });
    // By then the other call has found that it may wait for longer than 50 ms.
    await expect(made.broker.ping({ timeoutMs: 200 })).rejects.toMatchObject({ kind: 'DEADLINE' });
    held.end();
    await gone;
  });

  it('fails at the deadline of a request that is less patient', async () => {
    const [port = 0] = await freePorts(1);
    const refused = client(`ws://127.0.0.1:${port}`, { connectTimeoutMs: 60_000 }).broker.ping({ timeoutMs: 100 });
    await expect(refused).rejects.toMatchObject({ kind: 'DEADLINE', message: expect.stringContaining('ECONNREFUSED') });
  });

  it('begins no watch', async () => {
    const [port = 0] = await freePorts(1);
    const watch = { session: 's', mailboxes: ['INBOX'], onEvent: () => {}, onResync: () => {} };
    await expect(client(`ws://127.0.0.1:${port}`).watch(watch)).rejects.toBeInstanceOf(UnreachableError);
  });

  it('serves the next call when there is a broker at last', async () => {
    const broker = await HostileBroker.start();
    const { url } = broker;
    broker.onConnect = () => {};
    const made = client(url);
    await expect(made.broker.ping()).rejects.toBeInstanceOf(UnreachableError);
    broker.onConnect = (socket) => socket.send(hello);
    for (const { ws } of broker.sockets) ws.terminate();
    expect(await made.broker.ping()).toMatchObject({ version: '1.2.3' });
  });
});

describe('a client whose broker went away', () => {
  it('waits for its restart as long as a request may, and half a minute later no longer than for a first connect', async () => {
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    const told: TransportEvents[] = [];
    const refused = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });
    let up = true;
    const made = clientOn(
      (_target, events) => {
        told.push(events);
        queueMicrotask(() => {
          if (!up) events.onClose({ code: 1006, cause: refused, malformed: false });
          else {
            events.onOpen();
            events.onText(JSON.stringify(hello));
          }
        });
        const send = (frame: string | Uint8Array) => {
          const { id } = JSON.parse(String(frame)) as { id: number };
          events.onText(JSON.stringify({ jsonrpc: '2.0', id, result: {} }));
        };
        return { send, bufferedBytes: 0, close: () => {}, terminate: () => {} };
      },
      { url: 'ws://broker' },
    );
    onTestFinished(() => made.close());
    await made.broker.ping();
    up = false;
    told[0]?.onClose({ code: 1006, malformed: false });
    /** Milliseconds until a call is rejected, and the kind of its error. */
    const outcome = async () => {
      const begun = performance.now();
      const ended = made.broker.ping().then(
        () => undefined,
        ({ kind }) => [kind, Math.round((performance.now() - begun) / 1000)],
      );
      await vi.advanceTimersByTimeAsync(31_000);
      return await ended;
    };
    expect(await outcome()).toEqual(['DEADLINE', 30]);
    expect(await outcome()).toEqual(['UNREACHABLE', 5]);
    up = true;
    expect(await outcome()).toBeUndefined();
  });
});
