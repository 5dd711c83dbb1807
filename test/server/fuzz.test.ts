import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ParamsIn } from '../../src/protocol/contract.js';
import { contract } from '../../src/protocol/contract.js';
import { waitFor } from '../support/wait-for.js';
import type { Message, RawClient } from './raw-client.js';
import { stubBroker } from './stub-broker.js';

const methods = Object.keys(contract);
const folder = { session: 'live', mailbox: 'INBOX', uidValidity: 1, uids: [1] };

/** Params that fit, for each method; the compiler keeps them complete. */
const fitting: { [M in keyof typeof contract]: ParamsIn<M> } = {
  'session.open': { server: 'main', user: 'anna', auth: { password: 'p' } },
  'session.info': { session: 'live' },
  'session.refresh': { session: 'live', auth: { accessToken: 't' } },
  'session.renew': { session: 'live' },
  'session.revoke': { tenant: 'shop' },
  'server.list': {},
  'account.list': {},
  'connection.list': {},
  'session.list': {},
  'watch.list': {},
  'socket.list': {},
  'stream.list': {},
  'broker.status': {},
  'broker.history': {},
  'config.get': {},
  'trace.start': { server: 'main', user: 'anna' },
  'trace.stop': { trace: 'trace-1' },
  'broker.drain': {},
  'broker.remaining': {},
  'broker.reload': {},
  'log.level': { level: 'info' },
  'keys.rotate': {},
  'server.probe': { server: 'main' },
  'broker.pause': {},
  'broker.resume': {},
  'pool.reconnect': {},
  'account.kick': { tenant: 'shop', server: 'main', user: 'anna' },
  'socket.kick': { socket: 'socket-1' },
  'session.kick': { id: 'one' },
  'request.slowest': {},
  'request.waiting': { tenant: 'shop', server: 'main', user: 'anna' },
  'session.close': { session: 'live' },
  'mailbox.list': { session: 'live' },
  'mailbox.status': { session: 'live', mailboxes: ['INBOX'] },
  'mailbox.acl': { session: 'live', mailbox: 'INBOX' },
  'mailbox.metadata': { session: 'live', mailbox: 'INBOX', entries: ['/shared/comment'] },
  'mailbox.info': { session: 'live', mailbox: 'INBOX' },
  'mailbox.changes': { session: 'live', mailbox: 'INBOX', since: 'x' },
  'mailbox.create': { session: 'live', mailbox: 'a' },
  'mailbox.rename': { session: 'live', mailbox: 'a', newName: 'b' },
  'mailbox.delete': { session: 'live', mailbox: 'a' },
  'mailbox.subscribe': { session: 'live', mailbox: 'a' },
  'mailbox.unsubscribe': { session: 'live', mailbox: 'a' },
  'message.list': { session: 'live', mailbox: 'INBOX' },
  'message.get': folder,
  'message.part': { session: 'live', mailbox: 'INBOX', uidValidity: 1, uid: 1, part: '1' },
  'message.source': { session: 'live', mailbox: 'INBOX', uidValidity: 1, uid: 1 },
  'message.search': { session: 'live', mailboxes: ['INBOX'], filter: { not: { seen: true } } },
  'message.threads': { session: 'live', mailbox: 'INBOX' },
  'message.thread': { session: 'live', mailbox: 'INBOX', uidValidity: 1, uid: 1 },
  'message.flag': { ...folder, action: 'add', flags: ['\\Seen'] },
  'message.label': { ...folder, add: ['a'] },
  'message.copy': { ...folder, destination: 'a' },
  'message.move': { ...folder, destination: 'a' },
  'message.delete': folder,
  'message.append': { session: 'live', mailbox: 'INBOX', data: 'YQ==' },
  'watch.start': { session: 'live', mailboxes: ['INBOX'] },
  'watch.stop': { session: 'live' },
  'events.resume': { session: 'live', epoch: 'e', after: 0, mailboxes: ['INBOX'] },
  'quota.get': { session: 'live' },
  'broker.ping': {},
  'rpc.discover': {},
};

/** Another socket on the same broker is served as if nothing happened. */
async function stillServes(connect: () => Promise<RawClient>): Promise<void> {
  const client = await connect();
  expect((await client.request('broker.ping')).result).toBeDefined();
  await client.close();
}

/** All messages up to the answer of a last request, or to the end of the socket. */
async function settled(client: RawClient): Promise<Message[]> {
  client.send({ jsonrpc: '2.0', id: 'last', method: 'broker.ping' });
  await client.answer('last').catch(() => {});
  return client.messages;
}

describe('whatever comes, the broker', () => {
  it('answers fitting requests of every method with a result', async () => {
    const { connect } = await stubBroker();
    const client = await connect();
    for (const [method, params] of Object.entries(fitting)) {
      const { error } = await client.request(method, params);
      expect(error, method).toBeUndefined();
    }
  });

  it('answers wrong types in every param of every method with INVALID_PARAMS, and survives', async () => {
    const { connect, logged } = await stubBroker();
    const client = await connect();
    for (const [method, params] of Object.entries(fitting)) {
      for (const name of Object.keys(params)) {
        for (const wrong of [null, {}, -1, 1.5, [[]], '', '\u0000', { toString: 1 }]) {
          const { error } = await client.request(method, { ...params, [name]: wrong });
          if (error) {
            expect(error, `${method} ${name} ${JSON.stringify(wrong)}`).toMatchObject({ data: { executed: 'no' } });
            expect(['INVALID_PARAMS', 'SESSION_EXPIRED']).toContain(error.data.kind);
          } else {
            // No wrong type for these: a search for everything, a name that the configuration decides on, and no folder.
            if (method === 'mailbox.metadata' && name === 'mailbox' && wrong === null) continue;
            expect(['criteria {}', 'filter {}', 'server "\\u0000"']).toContain(`${name} ${JSON.stringify(wrong)}`);
          }
        }
      }
    }
    expect(logged.filter(({ level }) => level === 'error')).toEqual([]);
  });

  it('answers any JSON once, or closes the socket', async () => {
    const { connect, logged } = await stubBroker();
    const anyId = fc.oneof(fc.integer(), fc.string({ maxLength: 200 }), fc.double(), fc.jsonValue());
    const anyMethod = fc.oneof(fc.constantFrom(...methods), fc.string(), fc.jsonValue());
    const anyParams = fc.oneof(
      fc.record({ session: fc.constantFrom('live', 'dead'), mailbox: fc.jsonValue(), uids: fc.jsonValue() }),
      fc.jsonValue(),
    );
    const request = fc.record(
      { jsonrpc: fc.constantFrom('2.0', '1.0', 2), id: anyId, method: anyMethod, params: anyParams },
      { requiredKeys: [] },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(fc.oneof(request, fc.jsonValue()), { maxLength: 15 }), async (messages) => {
        const client = await connect();
        for (const message of messages) client.send(message);
        const answers = (await settled(client)).filter(({ method, id }) => method === undefined && id !== 'last');
        const due = messages.filter((message) => !isNotification(message));
        expect(answers.length).toBe(due.length);
        for (const answer of answers) expect('result' in answer).not.toBe('error' in answer);
        await client.close();
      }),
      { numRuns: 60 },
    );
    expect(logged.filter(({ level }) => level === 'error')).toEqual([]);
    await stillServes(connect);
  });

  it('takes any text and any binary frame, or closes the socket with 4400 or 1007', async () => {
    const { connect, listener } = await stubBroker();
    const frame = fc.oneof(
      fc.string().map((text) => ({ data: Buffer.from(text), binary: false })),
      fc.uint8Array({ maxLength: 40 }).map((bytes) => ({ data: Buffer.from(bytes), binary: true })),
      fc.uint8Array({ maxLength: 40 }).map((bytes) => ({ data: Buffer.from(bytes), binary: false })),
      fc
        .tuple(fc.constantFrom(1, 2, 3), fc.nat({ max: 4 }), fc.uint8Array())
        .map(([type, id, rest]) => ({ data: Buffer.from([type, 0, 0, 0, id, ...rest]), binary: true })),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(frame, { maxLength: 25 }), async (frames) => {
        const client = await connect();
        const code = client.closed;
        for (const { data, binary } of frames) client.ws.send(data, { binary });
        await settled(client);
        client.ws.close(1000);
        expect([1000, 4400, 1007]).toContain(await code);
      }),
      { numRuns: 60 },
    );
    await stillServes(connect);
    await waitFor(() => expect(listener.sockets).toBe(0));
  });

  it('closes a socket that sends no WebSocket frames at all', async () => {
    const { connect } = await stubBroker();
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 50, maxLength: 300 }), async (bytes) => {
        const client = await connect();
        // Beneath ws: the bytes of the TCP connection itself, with a reserved bit set so that no frame begins so.
        const raw = (client.ws as unknown as { _socket: { write(bytes: Uint8Array): void } })._socket;
        raw.write(Uint8Array.of(0xf1, ...bytes));
        expect(await client.closed).toBeGreaterThan(1000);
      }),
      { numRuns: 20 },
    );
    await stillServes(connect);
  });
});

/** By JSON-RPC: a request without an id, which gets no answer. */
function isNotification(message: unknown): boolean {
  if (typeof message !== 'object' || message === null || Array.isArray(message)) return false;
  const { jsonrpc, id, method, params } = JSON.parse(JSON.stringify(message)) as Record<string, unknown>;
  const named = params === undefined || (typeof params === 'object' && params !== null && !Array.isArray(params));
  return jsonrpc === '2.0' && id === undefined && typeof method === 'string' && named;
}
