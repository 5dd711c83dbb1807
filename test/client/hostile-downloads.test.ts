import { describe, expect, it } from 'vitest';
import { encodeStreamFrame, StreamFrameType } from '../../src/protocol/frames.js';
import { BODY, HostileBroker, type HostileSocket } from '../support/hostile-broker.js';
import { clientOf, expectNoWarnings, misbehaveOnce, named, textOf } from './hostile-client.js';

expectNoWarnings();

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

  it.each([0, 1, 256])('of %i bytes inline is whole', async (size) => {
    const broker = await HostileBroker.start();
    const content = Buffer.from(Array.from({ length: size }, (_, index) => 255 - index));
    misbehaveOnce(broker, (socket, id) => {
      socket.send({ jsonrpc: '2.0', id, result: { size, stream: null, data: content.toString('base64') } });
    });
    const { body } = await clientOf(broker).message.source({ ...named, transfer: 'inline' });
    expect(await textOf(body)).toBe(content.toString('latin1'));
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
