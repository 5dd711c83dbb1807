import { describe, expect, it, vi } from 'vitest';
import type { BrokerError } from '../../src/protocol/errors.js';
import { waitFor } from '../support/wait-for.js';
import { session, signal, stubBroker, stubServices } from './stub-broker.js';

/** A handler that ends when the test says so, or never. */
function held() {
  const begun = signal();
  const end = signal();
  return {
    begun: begun.fired,
    end: end.fire,
    handler: async () => {
      begun.fire();
      await end.fired;
      return { done: true };
    },
  };
}

describe('requests of a socket', () => {
  it('are answered each under its own id, in whatever order they end', async () => {
    const ends = new Map<unknown, () => void>();
    const { connect } = await stubBroker({
      handlers: {
        'mailbox.create': (_context, { mailbox }) =>
          new Promise((resolve) => ends.set(mailbox, () => resolve({ mailbox }))),
      },
    });
    const client = await connect();
    const names = ['a', 'b', 'c'];
    const ids = names.map((mailbox) => client.ask('mailbox.create', { session: 'live', mailbox }));
    await waitFor(() => expect(ends.size).toBe(3));
    for (const name of ['c', 'a', 'b']) ends.get(name)?.();
    const answers = await Promise.all(ids.map((id) => client.answer(id)));
    expect(answers.map(({ result }) => result?.mailbox)).toEqual(names);
    expect(client.messages.slice(1).map(({ id }) => id)).toEqual([ids[2], ids[0], ids[1]]);
  });

  it('may have strings as ids, and the same one again once it is answered', async () => {
    const { connect } = await stubBroker();
    const client = await connect();
    client.send({ jsonrpc: '2.0', id: 'x', method: 'broker.ping' });
    await client.answer('x');
    client.send({ jsonrpc: '2.0', id: 'x', method: 'broker.ping' });
    await client.until(() => client.answersTo('x').length === 2);
  });

  it('get one answer even when their id is used again while they run', async () => {
    const { begun, end, handler } = held();
    const { connect } = await stubBroker({ handlers: { 'broker.ping': handler } });
    const client = await connect();
    client.send({ jsonrpc: '2.0', id: 7, method: 'broker.ping' });
    await begun;
    client.send({ jsonrpc: '2.0', id: 7, method: 'broker.ping' });
    client.send({ jsonrpc: '1.0', id: 7, method: 'broker.ping' });
    await client.until(() => client.answersTo(null).length === 2);
    expect(client.answersTo(null)[0]).toMatchObject({ error: { code: -32600, data: { field: 'id', executed: 'no' } } });
    end();
    expect(await client.answer(7)).toMatchObject({ result: { done: true } });
    await client.request('rpc.discover');
    expect(client.answersTo(7)).toHaveLength(1);
  });

  it('are refused with RATE_LIMITED above the bound, until one is answered', async () => {
    const { begun, end, handler } = held();
    const { connect } = await stubBroker({ handlers: { 'broker.ping': handler }, limits: { pendingRequests: 2 } });
    const client = await connect();
    const running = [client.ask('broker.ping'), client.ask('broker.ping')];
    await begun;
    const refusal = await client.request('rpc.discover');
    expect(refusal.error).toMatchObject({ code: -32011, data: { kind: 'RATE_LIMITED', executed: 'no' } });
    expect(refusal.error?.data.retryAfterMs).toBeGreaterThan(0);
    end();
    await Promise.all(running.map((id) => client.answer(id)));
    expect((await client.request('rpc.discover')).result).toBeDefined();
  });

  it('answer CANCELLED when the caller cancels them, which their handler learns', async () => {
    const cancelled = signal<unknown>();
    const { connect } = await stubBroker({
      handlers: {
        'broker.ping': ({ signal: aborted }) =>
          new Promise((_resolve, reject) => {
            aborted.addEventListener('abort', () => {
              cancelled.fire(aborted.reason);
              reject(aborted.reason);
            });
          }),
      },
    });
    const client = await connect();
    const id = client.ask('broker.ping');
    client.notify('$/cancelRequest', { id: 999 });
    client.notify('$/cancelRequest', { id });
    expect(await client.answer(id)).toMatchObject({
      error: { code: -32800, data: { kind: 'CANCELLED', executed: 'no' } },
    });
    expect(await cancelled.fired).toMatchObject({ kind: 'CANCELLED' });
    client.notify('$/cancelRequest', { id });
    expect((await client.request('rpc.discover')).result).toBeDefined();
    expect(client.answersTo(id)).toHaveLength(1);
  });

  it('that are cancelled while their session is looked up execute nothing, and say so', async () => {
    const found = signal<typeof session>();
    const begun = vi.fn(async () => ({ mailbox: 'a' }));
    const { connect } = await stubBroker({
      handlers: { 'mailbox.create': begun },
      services: { sessions: { ...stubServices.sessions, resolve: () => found.fired } },
    });
    const client = await connect();
    const id = client.ask('mailbox.create', { session: 'live', mailbox: 'a' });
    client.notify('$/cancelRequest', { id });
    expect(await client.answer(id)).toMatchObject({ error: { data: { kind: 'CANCELLED', executed: 'no' } } });
    found.fire(session);
    await client.request('rpc.discover');
    expect(begun).not.toHaveBeenCalled();
  });

  it('are cancelled when their socket goes', async () => {
    const reason = signal<unknown>();
    const begun = signal();
    const { connect } = await stubBroker({
      handlers: {
        'broker.ping': async ({ signal: aborted }) => {
          aborted.addEventListener('abort', () => reason.fire(aborted.reason));
          begun.fire();
          return new Promise(() => {});
        },
      },
    });
    const client = await connect();
    client.ask('broker.ping');
    await begun.fired;
    client.ws.terminate();
    expect(await reason.fired).toMatchObject({ kind: 'CANCELLED' });
  });

  it('answer DEADLINE in time though their handler does not heed it, and once though it ends later', async () => {
    const { end, handler } = held();
    const { connect } = await stubBroker({ handlers: { 'broker.ping': handler, 'mailbox.create': handler } });
    const client = await connect();
    const id = client.ask('broker.ping', { timeoutMs: 20 });
    expect(await client.answer(id)).toMatchObject({
      error: { code: -32014, data: { kind: 'DEADLINE', executed: 'no' } },
    });
    const write = await client.request('mailbox.create', { session: 'live', mailbox: 'a', timeoutMs: 20 });
    expect(write.error?.data).toMatchObject({ kind: 'DEADLINE', executed: 'maybe' });
    end();
    await client.request('rpc.discover');
    expect(client.answersTo(id)).toHaveLength(1);
  });

  it('have the default deadline when they name none', async () => {
    const { connect } = await stubBroker({
      handlers: { 'broker.ping': () => new Promise(() => {}) },
      limits: { defaultTimeoutMs: 30 },
    });
    const client = await connect();
    expect((await client.request('broker.ping')).error?.data.kind).toBe('DEADLINE');
  });

  it('say that a write was not executed when its handler knows that', async () => {
    const { connect } = await stubBroker({
      handlers: {
        'mailbox.create': ({ signal: aborted }) =>
          new Promise((_resolve, reject) => {
            aborted.addEventListener('abort', () => reject((aborted.reason as BrokerError).withExecuted('no')));
          }),
      },
    });
    const client = await connect();
    const answer = await client.request('mailbox.create', { session: 'live', mailbox: 'a', timeoutMs: 20 });
    expect(answer.error?.data).toMatchObject({ kind: 'DEADLINE', executed: 'no' });
  });
});

describe('frames of a socket', () => {
  it.each([
    ['no JSON', '{', -32700, null],
    ['a batch', '[]', -32600, null],
    ['a number', '5', -32600, null],
    ['another version', '{"jsonrpc":"1.0","id":3,"method":"broker.ping"}', -32600, 3],
    ['no method', '{"jsonrpc":"2.0","id":"x"}', -32600, 'x'],
    ['a broken id', '{"jsonrpc":"2.0","id":1.5,"method":"broker.ping"}', -32600, null],
    ['params by position', '{"jsonrpc":"2.0","id":4,"method":"broker.ping","params":[1]}', -32600, 4],
  ])('with %s are refused under the id that can be read', async (_label, frame, code, id) => {
    const { connect } = await stubBroker();
    const client = await connect();
    client.ws.send(frame);
    expect(await client.answer(id)).toMatchObject({ error: { code, data: { executed: 'no' } } });
  });

  it('close the socket with 4400 when too many of them are broken', async () => {
    const { connect } = await stubBroker();
    const client = await connect();
    for (let sent = 0; sent < 30; sent += 1) client.ws.send('{');
    expect(await client.closed).toBe(4400);
    expect(client.answersTo(null).length).toBeLessThan(30);
  });

  it('close it with 4400 when a binary one is malformed', async () => {
    const { connect } = await stubBroker();
    const client = await connect();
    client.ws.send(Buffer.from([9, 0, 0, 0, 1]));
    expect(await client.closed).toBe(4400);
  });

  it('close it with 1009 when one is too large', async () => {
    const { connect } = await stubBroker({ limits: { frameBytes: 1000 } });
    const client = await connect();
    client.ws.send('x'.repeat(1001));
    expect(await client.closed).toBe(1009);
  });

  it('may carry a whole inline append of 1 MiB', async () => {
    const { connect } = await stubBroker({ handlers: { 'message.append': async () => ({ taken: true }) } });
    const client = await connect();
    const data = Buffer.alloc(1024 * 1024).toString('base64');
    expect(await client.request('message.append', { session: 'live', mailbox: 'a', data })).toMatchObject({
      result: { taken: true },
    });
  });

  it('are ignored when they are notifications that nobody knows', async () => {
    const { connect } = await stubBroker();
    const client = await connect();
    client.notify('$/unknown', { a: 1 });
    client.notify('broker.ping', {});
    client.notify('$/credit', { stream: 'x' });
    client.notify('$/cancelRequest', {});
    await client.request('broker.ping');
    expect(client.messages).toHaveLength(2);
  });

  it('that come behind a closing one are not executed', async () => {
    let executed = 0;
    const { connect } = await stubBroker({
      handlers: {
        'broker.ping': async () => {
          executed += 1;
          return {};
        },
      },
    });
    const client = await connect();
    client.ws.send(Buffer.from([9, 0, 0, 0, 1]));
    client.ask('broker.ping');
    await client.closed;
    expect(executed).toBe(0);
  });
});

describe('the heartbeat', () => {
  it('closes a socket that does not answer with 4408, and cancels its requests', async () => {
    const reason = signal<unknown>();
    const { connect, listener } = await stubBroker({
      limits: { heartbeatMs: 50 },
      handlers: {
        'broker.ping': ({ signal: aborted }) =>
          new Promise(() => aborted.addEventListener('abort', () => reason.fire(aborted.reason))),
      },
    });
    const client = await connect({ autoPong: false });
    client.ask('broker.ping');
    expect(await client.closed).toBe(4408);
    expect(await reason.fired).toMatchObject({ kind: 'CANCELLED' });
    await waitFor(() => expect(listener.sockets).toBe(0));
  });

  it('keeps a socket that answers', async () => {
    const { connect } = await stubBroker({ limits: { heartbeatMs: 30 } });
    const client = await connect();
    let pings = 0;
    client.ws.on('ping', () => {
      pings += 1;
    });
    await waitFor(() => expect(pings).toBeGreaterThan(4));
    expect((await client.request('broker.ping')).result).toBeDefined();
  });

  it('is answered when it comes from the caller', async () => {
    const { connect } = await stubBroker();
    const client = await connect();
    const pong = new Promise<string>((resolve) => client.ws.once('pong', (data) => resolve(data.toString())));
    client.ws.ping('hey');
    expect(await pong).toBe('hey');
  });
});

describe('a caller who never reads', () => {
  const big = 'x'.repeat(100_000);

  it('loses its socket above the second mark, and its requests are cancelled', async () => {
    const aborted = signal();
    const { connect, listener } = await stubBroker({
      limits: { closeAboveBytes: 1024 * 1024, pendingRequests: 10_000 },
      handlers: {
        'broker.ping': async () => ({ big }),
        'rpc.discover': ({ signal: stop }) => new Promise(() => stop.addEventListener('abort', () => aborted.fire())),
      },
    });
    const client = await connect();
    client.ask('rpc.discover');
    client.ws.pause();
    for (let asked = 0; asked < 300; asked += 1) client.ask('broker.ping');
    await aborted.fired;
    await waitFor(() => expect(listener.sockets).toBe(0));
  });

  it('loses it also when it sends nothing but pings', async () => {
    const { connect, listener } = await stubBroker({ limits: { closeAboveBytes: 64 * 1024 } });
    const client = await connect();
    client.ws.pause();
    const flood = setInterval(() => {
      for (let sent = 0; sent < 2000; sent += 1) client.ws.ping('x'.repeat(125));
    });
    await waitFor(() => expect(listener.sockets).toBe(0));
    clearInterval(flood);
  });

  it('is no other than one who reads a single large answer at its own pace', async () => {
    const { connect } = await stubBroker({
      limits: { closeAboveBytes: 1024 * 1024 },
      handlers: { 'broker.ping': async () => ({ large: 'x'.repeat(7 * 1024 * 1024) }) },
    });
    const client = await connect();
    const id = client.ask('broker.ping');
    client.ws.pause();
    setTimeout(() => client.ws.resume(), 50);
    expect((await client.answer(id)).result?.large).toHaveLength(7 * 1024 * 1024);
  });
});
