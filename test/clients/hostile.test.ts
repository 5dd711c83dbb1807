import { once } from 'node:events';
import { createServer } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { encodeStreamFrame, StreamFrameType } from '../../src/protocol/frames.js';
import { BODY, HostileBroker, type HostileFrame, type HostileSocket, hello } from '../support/hostile-broker.js';
import { Driver, languages } from './driven.js';

/** Does what the test says with the first request, and answers all others honestly. */
function misbehaveOnce(broker: HostileBroker, misbehave: (socket: HostileSocket, id: number) => void): void {
  broker.onRequest = (request, socket) => {
    broker.reform();
    misbehave(socket, request.id);
  };
}

const data = { kind: 'INTERNAL', executed: 'no' };
const nonsense: [
  what: string,
  misbehave: (socket: HostileSocket, id: number) => void,
  complaint: string,
  code?: number,
][] = [
  ['half JSON', (socket) => socket.send('{"jsonrpc":"2.0","id":1,"resu'), 'no JSON-RPC', 4400],
  ['null', (socket) => socket.send('null'), 'no JSON-RPC', 4400],
  ['an array', (socket) => socket.send('[]'), 'no JSON-RPC', 4400],
  ['a number', (socket) => socket.send('7'), 'no JSON-RPC', 4400],
  ['an answer to no request', (socket) => socket.send('{"jsonrpc":"2.0","id":77,"result":{}}'), 'to no request', 4400],
  ['neither result nor error', (socket, id) => socket.send({ jsonrpc: '2.0', id }), 'without result', 4400],
  ['a result that is a text', (socket, id) => socket.send({ jsonrpc: '2.0', id, result: 'x' }), 'without result', 4400],
  [
    'an error without data',
    (socket, id) => socket.send({ jsonrpc: '2.0', id, error: { code: 1, message: 'x' } }),
    'without',
    4400,
  ],
  [
    'an error of numbers',
    (socket, id) => socket.send({ jsonrpc: '2.0', id, error: { code: 'x', message: 5, data: { kind: 5 } } }),
    'without',
    4400,
  ],
  ['a frame of 4 EiB', (socket) => socket.sendRaw(Uint8Array.of(0x81, 127, 64, 0, 0, 0, 0, 0, 0, 1)), '16 MiB', 4400],
  [
    'a frame of 17 MiB',
    (socket) => socket.sendRaw(Uint8Array.of(0x81, 127, 0, 0, 0, 0, 1, 0x10, 0, 0)),
    '16 MiB',
    4400,
  ],
  [
    'a frame of a negative length',
    (socket) => socket.sendRaw(Uint8Array.of(0x81, 127, 255, 0, 0, 0, 0, 0, 0, 0)),
    '16 MiB',
    4400,
  ],
  ['a masked frame', (socket) => socket.sendRaw(Uint8Array.of(0x81, 0x82, 1, 2, 3, 4, 0x7a, 0x7f)), 'masked', 4400],
  ['what is no frame', (socket) => socket.sendRaw(Uint8Array.of(0xf1, 1, 2, 3)), 'no frame', 4400],
  ['text that is no UTF-8', (socket) => socket.sendRaw(Uint8Array.of(0x81, 1, 0xff)), 'no JSON-RPC', 4400],
  ['a close', (socket) => socket.ws.close(1013), 'close code 1013'],
  ['a close without a code', (socket) => socket.sendRaw(Uint8Array.of(0x88, 0)), 'close code 1005'],
  ['an end without a close', (socket) => socket.ws.terminate(), 'cut|reset'],
];

describe.each(languages)('the client for %s, whose broker', (_language, command) => {
  const open = (broker: HostileBroker, options = {}) =>
    Driver.open(command, { url: broker.url, token: 'good', ...options });

  it('sends nonsense, tells of a write that it may be done, sends a read again, and goes on', async () => {
    const broker = await HostileBroker.start();
    const driver = await open(broker);
    for (const [what, misbehave, complaint, code] of nonsense) {
      await driver.call('broker.ping');
      const last = broker.sockets.at(-1);
      misbehaveOnce(broker, misbehave);
      const error = await driver.failure('mailbox.create', { session: 's', mailbox: 'a' });
      expect(error, what).toMatchObject({ kind: 'CONNECTION_LOST', executed: 'maybe' });
      expect(error.message, what).toMatch(new RegExp(complaint));
      const closed = await last?.closed;
      if (code) expect(closed, what).toBe(code);
      misbehaveOnce(broker, misbehave);
      expect(await driver.call('broker.ping'), what).toMatchObject({ version: '1.2.3' });
    }
    expect(broker.sockets).toHaveLength(1 + 2 * nonsense.length);
  });

  it('sends nonsense each time, gives a read up at the third', async () => {
    const broker = await HostileBroker.start();
    const driver = await open(broker);
    broker.onRequest = (_request, socket) => socket.send('null');
    expect(await driver.failure('broker.ping')).toMatchObject({ kind: 'CONNECTION_LOST', executed: 'no' });
    expect(broker.sockets).toHaveLength(3);
  });

  it('says nothing, ends at the deadline and at the time for the socket', async () => {
    const broker = await HostileBroker.start();
    const driver = await open(broker, { connectTimeoutMs: 200 });
    await driver.call('broker.ping');
    broker.onRequest = () => {};
    expect(await driver.failure('message.delete', { timeoutMs: 1 })).toMatchObject({
      kind: 'DEADLINE',
      executed: 'maybe',
    });
    broker.onConnect = () => {};
    const unheard = await driver.failure('broker.ping', { timeoutMs: 600 });
    expect(unheard).toMatchObject({ kind: 'UNREACHABLE', executed: 'no' });
  });

  it('never stops talking, ends at the deadline', async () => {
    const broker = await HostileBroker.start();
    const driver = await open(broker);
    await driver.call('broker.ping');
    broker.onRequest = (_request, socket) => {
      const flood = () => {
        for (let count = 0; count < 100; count += 1) socket.sendRaw(Uint8Array.of(0x89, 0));
        if (socket.ws.readyState === socket.ws.OPEN) setImmediate(flood);
      };
      flood();
    };
    expect(await driver.failure('broker.ping', { timeoutMs: 1 })).toMatchObject({ kind: 'DEADLINE', executed: 'no' });
  });

  it('misses its own heartbeat, takes it for dead long before a request is over', async () => {
    const broker = await HostileBroker.start();
    broker.onConnect = (socket) => socket.send({ ...hello, params: { ...hello.params, heartbeatMs: 40 } });
    broker.onRequest = () => {};
    const driver = await open(broker);
    const error = await driver.failure('message.delete', { timeoutMs: 600_000 });
    expect(error).toMatchObject({ kind: 'CONNECTION_LOST', executed: 'maybe' });
    expect(error.message).toContain('silent');
  });

  it('sends an answer in fragments, with pings between them, answers it whole', async () => {
    const broker = await HostileBroker.start();
    const driver = await open(broker);
    broker.onRequest = ({ id }, socket) => {
      const [one, other] = [`{"jsonrpc":"2.0","id":${id},"res`, 'ult":{"ok":true}}'].map((text) => Buffer.from(text));
      const frame = (first: number, bytes = Buffer.alloc(0)) =>
        Buffer.concat([Uint8Array.of(first, bytes.length), bytes]);
      socket.sendRaw(Buffer.concat([frame(0x01, one), frame(0x89, Buffer.from('?')), frame(0x8a), frame(0x80, other)]));
    };
    expect(await driver.call('broker.ping')).toEqual({ ok: true });
  });

  it('breaks a download off, fails the download and goes on', async () => {
    const broker = await HostileBroker.start();
    const driver = await open(broker);
    const aborted = (stream: number, why: string) => encodeStreamFrame(StreamFrameType.ABORT, stream, Buffer.from(why));
    const ends: [kind: string, frame: (stream: number) => HostileFrame][] = [
      ['IMAP_NO', (stream) => aborted(stream, '{"kind":"IMAP_NO","message":"no"}')],
      ['CONNECTION_LOST', (stream) => aborted(stream, '')],
      ['CONNECTION_LOST', (stream) => aborted(stream, '[7]')],
      ['CONNECTION_LOST', () => Uint8Array.of(1, 0)],
      ['CONNECTION_LOST', (stream) => Uint8Array.of(9, 0, 0, 0, stream)],
      ['CONNECTION_LOST', () => 'null'],
    ];
    const wanted = { session: 's', mailbox: 'INBOX', uidValidity: 1, uid: 1 };
    for (const [kind, frame] of ends) {
      misbehaveOnce(broker, (socket, id) => {
        const stream = socket.newStream();
        socket.send({ jsonrpc: '2.0', id, result: { size: 1, stream, data: null } }, frame(stream));
      });
      expect(await driver.failure('message.source', wanted), kind).toMatchObject({ kind, executed: 'no' });
      expect((await driver.call('message.source', wanted)).body.bytes).toBe(BODY.length);
    }
  });

  it('drains, is asked no more: the next request goes to another socket', async () => {
    const broker = await HostileBroker.start();
    const driver = await open(broker);
    const drained = { code: -32015, message: 'drains', data: { kind: 'DRAINING', executed: 'no' } };
    misbehaveOnce(broker, (socket, id) => socket.send({ jsonrpc: '2.0', id, error: drained }));
    expect(await driver.call('mailbox.create', { session: 's', mailbox: 'a' })).toEqual({ mailbox: 'a' });
    misbehaveOnce(broker, (socket, id) => {
      const draining = { jsonrpc: '2.0', method: 'broker.draining', params: { graceMs: 1000 } };
      socket.send(...socket.honest({ id, method: 'mailbox.create' }), draining);
    });
    for (let count = 0; count < 2; count += 1) await driver.call('mailbox.create', { session: 's', mailbox: 'a' });
    expect(broker.sockets).toHaveLength(3);
  });

  it.each([
    ['the same broker, once more', 'e1', { mailbox: 'a' }, undefined],
    ['another broker, never', 'e2', undefined, { kind: 'CONNECTION_LOST', executed: 'maybe' }],
  ])('loses a write with an idempotency key, sends it to %s', async (_what, epoch, result, error) => {
    const broker = await HostileBroker.start();
    const driver = await open(broker);
    misbehaveOnce(broker, (socket) => {
      broker.onConnect = (other) => other.send({ ...hello, params: { ...hello.params, epoch } });
      socket.ws.terminate();
    });
    const ask = { op: 'call', method: 'mailbox.create', params: { mailbox: 'a', idempotencyKey: 'k' } };
    expect(await driver.outcome(ask)).toMatchObject(result ? { result } : { error });
  });

  it('answers a keyed write that was sent again with an error that denies any effect, is not believed', async () => {
    const broker = await HostileBroker.start();
    const driver = await open(broker);
    broker.onRequest = (_request, socket) => {
      const refused = { code: -32011, message: 'too many', data: { ...data, kind: 'RATE_LIMITED' } };
      broker.onRequest = ({ id }, other) => other.send({ jsonrpc: '2.0', id, error: refused });
      socket.ws.terminate();
    };
    const error = await driver.failure('message.copy', { idempotencyKey: 'k' });
    expect(error).toMatchObject({ kind: 'CONNECTION_LOST', executed: 'maybe' });
  });

  it('answers when a signal has interrupted the request, is asked again on another socket', async () => {
    const broker = await HostileBroker.start();
    const driver = await open(broker);
    const asked = new Promise<() => void>((resolve) => {
      broker.onRequest = (request, socket) => {
        broker.reform();
        resolve(() => socket.answer(request));
      };
    });
    const interrupted = driver.ask({ op: 'interrupted', method: 'broker.ping', params: {} });
    const answerLate = await asked;
    expect(await interrupted).toBe('interrupted');
    answerLate();
    expect(await driver.call('broker.ping')).toMatchObject({ version: '1.2.3' });
    expect(broker.sockets).toHaveLength(2);
  });

  it('takes the connection and says nothing, not even in TLS, is given up in time', async () => {
    const silent = createServer().listen(0, '127.0.0.1');
    onTestFinished(() => void silent.close());
    await once(silent, 'listening');
    const place = `127.0.0.1:${(silent.address() as { port: number }).port}`;
    for (const url of [`ws://${place}`, `wss://${place}`]) {
      const driver = await Driver.open(command, { url, token: 'x', connectTimeoutMs: 300 });
      expect(await driver.failure('broker.ping')).toMatchObject({ kind: 'UNREACHABLE', executed: 'no' });
    }
  });

  it('greets with nonsense, is tried again until the time for the socket is over', async () => {
    const broker = await HostileBroker.start();
    const driver = await open(broker, { connectTimeoutMs: 1_000 });
    for (const greeting of [
      'null',
      '{"jsonrpc":"2.0","method":"broker.hello"}',
      '{"jsonrpc":"2.0","id":1,"result":{}}',
    ]) {
      broker.onConnect = (socket) => {
        broker.reform();
        socket.send(greeting);
      };
      expect(await driver.call('broker.ping')).toMatchObject({ version: '1.2.3' });
      await driver.ask({ op: 'close' });
    }
  });

  it('is said goodbye to when the client is closed', async () => {
    const broker = await HostileBroker.start();
    const driver = await open(broker);
    await driver.call('broker.ping');
    await driver.ask({ op: 'close' });
    expect(await broker.sockets[0]?.closed).toBe(1000);
  });
});
