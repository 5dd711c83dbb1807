import { describe, expect, it } from 'vitest';
import type { IncomingStream, OutgoingStream } from '../../src/methods/context.js';
import { protocolLimits } from '../../src/protocol/limits.js';
import { waitFor } from '../support/wait-for.js';
import type { RawClient } from './raw-client.js';
import { type StubHandler, signal, stubBroker } from './stub-broker.js';

const { streamInitialCreditBytes: INITIAL, streamPayloadBytes: PAYLOAD } = protocolLimits;

/** A handler that streams so many bytes, counting up, and tells how it ended. */
function download(size: number) {
  const ended = signal<unknown>();
  const opened = signal<OutgoingStream>();
  const bytes = Uint8Array.from({ length: size }, (_, index) => index % 251);
  const handler: StubHandler = async ({ streams }) => {
    const stream = streams.open();
    opened.fire(stream);
    stream.write(bytes).then(
      () => {
        stream.end();
        ended.fire('complete');
      },
      (error: unknown) => ended.fire(error),
    );
    return { stream: stream.id };
  };
  return { handler, bytes, ended: ended.fired, opened: opened.fired };
}

/** A handler that reads an upload as the test says, and answers its length or fails with its error. */
function upload(options: { before?: Promise<void> } = {}) {
  const failed = signal<unknown>();
  const handler: StubHandler = async ({ streams }, params) => {
    const stream: IncomingStream = streams.accept(params.stream as number);
    const hash: Uint8Array[] = [];
    try {
      await options.before;
      for await (const chunk of stream) hash.push(chunk);
    } catch (error) {
      failed.fire(error);
      throw error;
    }
    return { bytes: Buffer.concat(hash).length, text: Buffer.concat(hash).subarray(0, 20).toString() };
  };
  return { handler, failed: failed.fired };
}

async function begin(client: RawClient): Promise<number> {
  const { result } = await client.request('broker.ping');
  return result?.stream as number;
}

const append = (client: RawClient, stream: number, more: Record<string, unknown> = {}) =>
  client.ask('message.append', { session: 'live', mailbox: 'a', stream, size: 1, ...more });

describe('a download', () => {
  it('begins behind its answer, has an even id, keeps to credit and frame size, and arrives whole', async () => {
    const { handler, bytes, ended } = download(3 * INITIAL + 17);
    const { connect } = await stubBroker({ handlers: { 'broker.ping': handler } });
    const client = await connect();
    let framesBeforeAnswer = 0;
    client.ws.on('message', (_data, isBinary) => {
      if (isBinary && client.messages.length < 2) framesBeforeAnswer += 1;
    });
    const stream = await begin(client);
    expect(stream % 2).toBe(0);
    await client.until(() => client.received(stream) === INITIAL);
    await client.request('rpc.discover');
    expect(client.received(stream)).toBe(INITIAL);
    client.notify('$/credit', { stream, bytes: 5 });
    await client.until(() => client.received(stream) === INITIAL + 5);
    client.notify('$/credit', { stream, bytes: 10_000_000 });
    await client.until(() => client.framesOf(stream, 'END')[0]);
    expect(framesBeforeAnswer).toBe(0);
    expect(await ended).toBe('complete');
    const frames = client.framesOf(stream, 'DATA');
    // With the headers of both protocols 64 KiB, so that one read of a reader who keeps up is one frame.
    expect(Math.max(...frames.map(({ payload }) => payload.length))).toBe(64 * 1024 - 5 - 4);
    expect(Buffer.concat(frames.map(({ payload }) => payload)).equals(bytes)).toBe(true);
  });

  it('is aborted with STREAM_STALLED when it has no credit for too long, and its writer learns it', async () => {
    const { handler, ended } = download(INITIAL + 1);
    const { connect } = await stubBroker({ handlers: { 'broker.ping': handler }, limits: { streamStallMs: 40 } });
    const client = await connect();
    const stream = await begin(client);
    expect(await client.aborted(stream)).toMatchObject({ kind: 'STREAM_STALLED' });
    expect(await ended).toMatchObject({ kind: 'STREAM_STALLED' });
    expect((await client.request('rpc.discover')).result).toBeDefined();
  });

  it('ends without a word when the caller aborts it, also before it has begun', async () => {
    const { handler, ended } = download(INITIAL + 1);
    const { connect } = await stubBroker({ handlers: { 'broker.ping': handler } });
    const client = await connect();
    const stream = await begin(client);
    client.stream('ABORT', stream);
    expect(await ended).toMatchObject({ kind: 'CANCELLED' });
    client.notify('$/credit', { stream, bytes: 100 });
    await client.request('rpc.discover');
    expect(client.framesOf(stream, 'END').length + client.framesOf(stream, 'ABORT').length).toBe(0);
  });

  it('is never seen when its request fails', async () => {
    const ended = signal<unknown>();
    const { connect } = await stubBroker({
      handlers: {
        'broker.ping': async ({ streams }) => {
          const stream = streams.open();
          stream.write(Buffer.from('never')).catch(ended.fire);
          throw new Error('after opening');
        },
        'mailbox.create': async ({ streams }) => {
          streams.open().end();
          streams.open().abort(new Error('x'));
          throw new Error('after ending');
        },
      },
      limits: { streams: 2 },
    });
    const client = await connect();
    for (let round = 0; round < 3; round += 1) {
      expect((await client.request('broker.ping')).error?.data.kind).toBe('INTERNAL');
      const answer = await client.request('mailbox.create', { session: 'live', mailbox: 'a' });
      expect(answer.error?.data.kind).toBe('INTERNAL');
    }
    expect(await ended.fired).toMatchObject({ kind: 'CANCELLED' });
    expect(client.frames).toEqual([]);
  });

  it('cannot be opened by a handler whose request was answered with DEADLINE', async () => {
    const late = signal<unknown>();
    const go = signal();
    const { connect } = await stubBroker({
      handlers: {
        'broker.ping': async ({ streams }) => {
          await go.fired;
          try {
            streams.open();
          } catch (error) {
            late.fire(error);
          }
          return {};
        },
      },
    });
    const client = await connect();
    await client.request('broker.ping', { timeoutMs: 10 });
    go.fire();
    expect(await late.fired).toMatchObject({ kind: 'CANCELLED' });
  });

  it('tells nothing of a defect but INTERNAL, and the log has the cause', async () => {
    const { connect, logged } = await stubBroker({
      handlers: {
        'broker.ping': async ({ streams }) => {
          const stream = streams.open();
          stream.abort(new TypeError('secret detail'));
          return { stream: stream.id };
        },
      },
    });
    const client = await connect();
    const reason = await client.aborted(await begin(client));
    expect(reason.kind).toBe('INTERNAL');
    expect(reason.message).not.toContain('secret');
    expect(logged.find(({ msg }) => msg === 'stream failed')).toMatchObject({ err: { message: 'secret detail' } });
  });

  it('waits for a socket that does not read, whatever its credit, while others go on', async () => {
    const slow = download(20 * 1024 * 1024);
    const { connect } = await stubBroker({
      handlers: { 'broker.ping': slow.handler },
      limits: { pauseAboveBytes: 256 * 1024 },
    });
    const client = await connect();
    const stream = await begin(client);
    client.notify('$/credit', { stream, bytes: 1_000_000_000 });
    client.ws.pause();
    const other = await connect();
    for (let round = 0; round < 20; round += 1) await other.request('rpc.discover');
    expect(client.received(stream)).toBeLessThan(20 * 1024 * 1024);
    let over = false;
    void slow.ended.then(() => {
      over = true;
    });
    await other.request('rpc.discover');
    expect(over).toBe(false);
    client.ws.resume();
    await client.until(() => client.framesOf(stream, 'END')[0]);
    expect(client.received(stream)).toBe(slow.bytes.length);
    expect(await slow.ended).toBe('complete');
  });

  it('stalls when its socket sends nothing for too long, whatever its credit', async () => {
    const { handler, ended } = download(40 * 1024 * 1024);
    const { connect } = await stubBroker({
      handlers: { 'broker.ping': handler },
      limits: { streamStallMs: 60, pauseAboveBytes: 64 * 1024 },
    });
    const client = await connect();
    const stream = await begin(client);
    client.notify('$/credit', { stream, bytes: 1_000_000_000 });
    client.ws.pause();
    expect(await ended).toMatchObject({ kind: 'STREAM_STALLED' });
  });

  it('ends when its socket goes', async () => {
    const { handler, ended } = download(INITIAL + 1);
    const { connect } = await stubBroker({ handlers: { 'broker.ping': handler } });
    const client = await connect();
    await begin(client);
    client.ws.terminate();
    expect(await ended).toMatchObject({ kind: 'CANCELLED' });
  });

  it('is one of a bounded number, and makes room when it ends', async () => {
    const { handler } = download(INITIAL + 1);
    const { connect } = await stubBroker({ handlers: { 'broker.ping': handler }, limits: { streams: 2 } });
    const client = await connect();
    const first = await begin(client);
    await begin(client);
    expect((await client.request('broker.ping')).error?.data.kind).toBe('RATE_LIMITED');
    client.notify('$/credit', { stream: first, bytes: 1 });
    await client.until(() => client.framesOf(first, 'END')[0]);
    expect(await begin(client)).toBeGreaterThan(first);
  });
});

describe('an upload', () => {
  it('arrives whole when its frames are right behind its request, with credit as it is read', async () => {
    const { handler } = upload();
    const { connect } = await stubBroker({ handlers: { 'message.append': handler } });
    const client = await connect();
    const id = append(client, 1);
    let allowed = INITIAL;
    let sent = 0;
    let counted = 0;
    const total = 3 * INITIAL;
    while (sent < total) {
      const credits = client.messages.filter(({ method }) => method === '$/credit');
      for (; counted < credits.length; counted += 1) allowed += credits[counted]?.params?.bytes as number;
      const size = Math.min(PAYLOAD, allowed - sent, total - sent);
      if (size === 0) {
        const before = counted;
        await client.until(() => client.messages.filter(({ method }) => method === '$/credit').length > before);
      } else {
        client.stream('DATA', 1, Buffer.alloc(size, 'ab'));
        sent += size;
      }
    }
    client.stream('END', 1);
    expect((await client.answer(id)).result).toEqual({ bytes: total, text: 'ab'.repeat(10) });
  });

  it('may come in very many tiny frames', async () => {
    const gate = signal();
    const { handler } = upload({ before: gate.fired });
    const { connect } = await stubBroker({ handlers: { 'message.append': handler } });
    const client = await connect();
    const id = append(client, 1);
    for (const letter of 'abcdefghij'.repeat(500)) client.stream('DATA', 1, Buffer.from(letter));
    client.stream('DATA', 1);
    client.stream('END', 1);
    await client.request('rpc.discover');
    gate.fire();
    expect((await client.answer(id)).result).toEqual({ bytes: 5000, text: 'abcdefghijabcdefghij' });
  });

  it('that takes more than its credit closes the socket with 4400', async () => {
    const { handler, failed } = upload({ before: new Promise(() => {}) });
    const { connect } = await stubBroker({ handlers: { 'message.append': handler } });
    const client = await connect();
    append(client, 1);
    for (let sent = 0; sent <= INITIAL; sent += PAYLOAD) client.stream('DATA', 1, Buffer.alloc(PAYLOAD));
    expect(await client.closed).toBe(4400);
    void failed;
  });

  it('that sends nothing for too long fails its request with STREAM_STALLED', async () => {
    const { handler } = upload();
    const { connect } = await stubBroker({ handlers: { 'message.append': handler }, limits: { streamStallMs: 40 } });
    const client = await connect();
    const id = append(client, 1);
    client.stream('DATA', 1, Buffer.from('a'));
    expect((await client.answer(id)).error?.data.kind).toBe('STREAM_STALLED');
    expect(await client.aborted(1)).toMatchObject({ kind: 'STREAM_STALLED' });
    client.stream('DATA', 1, Buffer.from('late'));
    client.stream('END', 1);
    expect((await client.request('rpc.discover')).result).toBeDefined();
  });

  it('that the caller aborts fails its request', async () => {
    const { handler, failed } = upload();
    const { connect } = await stubBroker({ handlers: { 'message.append': handler } });
    const client = await connect();
    const id = append(client, 1);
    client.stream('DATA', 1, Buffer.from('a'));
    client.stream('ABORT', 1, Buffer.from('not even JSON'));
    expect((await client.answer(id)).error?.data.kind).toBe('CANCELLED');
    expect(await failed).toMatchObject({ kind: 'CANCELLED' });
    expect(client.framesOf(1, 'ABORT')).toEqual([]);
  });

  it('is told to stop when its request fails or is cancelled', async () => {
    const { handler, failed } = upload();
    const { connect } = await stubBroker({ handlers: { 'message.append': handler } });
    const client = await connect();
    const id = append(client, 1);
    // By then its handler has begun.
    await client.request('rpc.discover');
    client.notify('$/cancelRequest', { id });
    expect((await client.answer(id)).error?.data.kind).toBe('CANCELLED');
    expect(await client.aborted(1)).toMatchObject({ kind: 'CANCELLED' });
    expect(await failed).toMatchObject({ kind: 'CANCELLED' });
  });

  it('is told to stop when its request is cancelled before its handler has begun', async () => {
    const { connect } = await stubBroker();
    const client = await connect();
    const id = append(client, 1);
    client.notify('$/cancelRequest', { id });
    expect((await client.answer(id)).error?.data).toMatchObject({ kind: 'CANCELLED', executed: 'no' });
    expect(await client.aborted(1)).toMatchObject({ kind: 'CANCELLED' });
  });

  it('ends in silence when its request was answered before its end', async () => {
    const { connect } = await stubBroker({
      handlers: {
        'message.append': async ({ streams }, { stream }) => {
          streams.accept(stream as number);
          return { enough: true };
        },
      },
      limits: { streams: 1 },
    });
    const client = await connect();
    for (const stream of [1, 3]) {
      expect((await client.answer(append(client, stream))).result).toEqual({ enough: true });
      client.stream('DATA', stream, Buffer.alloc(10));
    }
    await client.request('rpc.discover');
    expect(client.frames).toEqual([]);
  });

  it('needs an odd id that was not used before', async () => {
    const { handler } = upload();
    const { connect } = await stubBroker({ handlers: { 'message.append': handler } });
    const client = await connect();
    const even = await client.answer(append(client, 2));
    expect(even.error?.data).toMatchObject({ kind: 'INVALID_PARAMS', field: 'stream' });
    const id = append(client, 5);
    client.stream('END', 5);
    await client.answer(id);
    for (const used of [5, 3]) {
      expect((await client.answer(append(client, used))).error?.data).toMatchObject({ field: 'stream' });
    }
  });

  it('ends when its socket goes', async () => {
    const { handler, failed } = upload();
    const { connect, listener } = await stubBroker({ handlers: { 'message.append': handler } });
    const client = await connect();
    append(client, 1);
    await client.request('rpc.discover');
    client.ws.terminate();
    expect(await failed).toMatchObject({ kind: 'CANCELLED' });
    await waitFor(() => expect(listener.sockets).toBe(0));
  });
});
