import { describe, expect, it } from 'vitest';
import { RpcError } from '../../src/client/index.js';
import { BODY, HostileBroker, hello } from '../support/hostile-broker.js';
import { clientOf, expectNoWarnings, misbehaveOnce, named, textOf, watching } from './hostile-client.js';
import { nonsense, wrongResults } from './hostile-frames.js';

expectNoWarnings();

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

  it('members that it does not know, ignores them', async () => {
    const broker = await HostileBroker.start();
    broker.onRequest = (request, socket) => {
      if (request.id === undefined) return;
      const novelty = { novelty: true };
      socket.send({ jsonrpc: '2.0', method: '$/credit', params: { stream: 1, bytes: 5, ...novelty }, ...novelty });
      socket.answer(request);
    };
    const content = new Blob(['x']).stream();
    const appended = await clientOf(broker).message.append({ session: 's', mailbox: 'INBOX', content, size: 1 });
    expect(appended).toMatchObject({ uid: 1 });
    expect(broker.sockets).toHaveLength(1);
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
