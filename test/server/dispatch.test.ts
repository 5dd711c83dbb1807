import { describe, expect, it } from 'vitest';
import { BrokerError } from '../../src/protocol/errors.js';
import type { Answered } from '../../src/server/request-record.js';
import { stubBroker } from './stub-broker.js';

const auth = { password: 'p' };

describe('params', () => {
  it.each([
    ['message.list', { mailbox: 'a', limit: 10_001 }, 'limit', 'limit: at most 10000'],
    ['message.list', { mailbox: 'a', limit: 0 }, 'limit', 'limit: at least 1'],
    ['message.list', { mailbox: 'a', limit: 1.5 }, 'limit', 'limit: must be int'],
    ['message.list', {}, 'mailbox', 'mailbox: missing'],
    ['message.list', { mailbox: null }, 'mailbox', 'mailbox: must be string'],
    ['message.list', { mailbox: '' }, 'mailbox', 'mailbox: at least 1 characters'],
    ['message.list', { mailbox: 'a\u0000' }, 'mailbox', 'mailbox: a folder name has no control characters'],
    ['message.list', { mailbox: 'a', fields: ['size', 'no'] }, 'fields.1', 'fields.1: Invalid option'],
    ['message.list', { mailbox: 'a', surprise: 1 }, 'surprise', 'surprise: unknown parameter'],
    ['message.list', { mailbox: 'a', timeoutMs: 600_001 }, 'timeoutMs', 'timeoutMs: at most 600000'],
    [
      'message.flag',
      { mailbox: 'a', uidValidity: 1, uids: [], action: 'add', flags: [] },
      'uids',
      'uids: at least 1 elements',
    ],
    [
      'message.flag',
      { mailbox: 'a', uidValidity: 1, uids: [1, 'x'], action: 'add', flags: [] },
      'uids.1',
      'uids.1: must be',
    ],
    ['message.search', { mailboxes: ['a'], filter: { or: [{ seen: 1 }, {}] } }, 'filter.or.0.seen', 'must be boolean'],
    ['message.search', { mailboxes: ['a'], filter: { not: { what: 1 } } }, 'filter.not.what', 'unknown parameter'],
    ['session.open', { server: 'a', user: 'b', auth: {} }, 'auth.password', 'auth.password: missing'],
    ['session.open', { server: 'a', user: 'b', auth: { accessToken: 5 } }, 'auth', 'auth'],
    [
      'session.open',
      { server: 'a', user: 'b', auth: { ...auth, host: 'x' } },
      'auth.host',
      'auth.host: unknown parameter',
    ],
  ])('of %s that do not fit are refused by name: %j', async (method, params, field, message) => {
    const { connect } = await stubBroker();
    const client = await connect();
    const session = method === 'session.open' ? {} : { session: 'live' };
    const { error } = await client.request(method, { ...session, ...params });
    expect(error).toMatchObject({ code: -32602, data: { kind: 'INVALID_PARAMS', executed: 'no' } });
    expect(error?.data.field?.startsWith(field)).toBe(true);
    expect(error?.message).toContain(message);
  });

  it('reach the handler with their defaults', async () => {
    const { connect } = await stubBroker();
    const client = await connect();
    const { result } = await client.request('message.list', { session: 'live', mailbox: 'a' });
    expect(result?.params).toMatchObject({ mailbox: 'a', limit: 50, fields: expect.arrayContaining(['envelope']) });
  });

  it('that are nested too deeply are refused before anything walks them', async () => {
    const { connect, logged } = await stubBroker();
    const client = await connect();
    const filter = `${'{"not":'.repeat(50_000)}{}${'}'.repeat(50_000)}`;
    client.ws.send(
      `{"jsonrpc":"2.0","id":1,"method":"message.search","params":{"session":"live","mailboxes":["a"],"filter":${filter}}}`,
    );
    expect((await client.answer(1)).error?.message).toBe('params: at most 64 levels deep');
    expect(logged.filter(({ level }) => level === 'error')).toEqual([]);
  });

  it('with names of any length are refused in few words', async () => {
    const { connect } = await stubBroker();
    const client = await connect();
    const { error } = await client.request('broker.ping', { ['x'.repeat(100_000)]: 1 });
    expect(error?.message.length).toBeLessThan(300);
    expect(error?.data.field?.length).toBeLessThan(300);
  });
});

describe('a request', () => {
  it.each(['message.explode', 'toString', '__proto__', 'constructor', '', 'x'.repeat(100_000)])(
    'for a method that there is not is told so: %.20s',
    async (method) => {
      const { connect } = await stubBroker();
      const client = await connect();
      const { error } = await client.request(method);
      expect(error).toMatchObject({ code: -32601, data: { kind: 'METHOD_NOT_FOUND', executed: 'no' } });
      expect(error?.message.length).toBeLessThan(200);
    },
  );

  it('with a token of another tenant, or none of ours, answers SESSION_EXPIRED', async () => {
    const { connect } = await stubBroker();
    const [mine, theirs] = [await connect(), await connect({ token: 'other' })];
    expect((await mine.request('mailbox.list', { session: 'live' })).result).toBeDefined();
    for (const [client, session] of [
      [mine, 'dead'],
      [theirs, 'live'],
    ] as const) {
      const { error } = await client.request('mailbox.list', { session });
      expect(error).toMatchObject({
        code: -32003,
        data: { kind: 'SESSION_EXPIRED', field: 'session', executed: 'no' },
      });
    }
  });

  it('that fails by a defect answers INTERNAL without a word of it, and the log has stack and cause', async () => {
    const { connect, logged } = await stubBroker({
      handlers: {
        'broker.ping': async () => {
          throw Object.assign(new Error('secret detail', { cause: new Error('deeper') }), {
            response: 'somebody’s mail',
          });
        },
        'mailbox.create': () => {
          throw new TypeError('thrown in place');
        },
        'rpc.discover': () => Promise.reject('no Error at all'),
      },
    });
    const client = await connect();
    const { error } = await client.request('broker.ping');
    expect(error).toEqual({
      code: -32603,
      message: 'The broker failed; its log has the cause.',
      data: { kind: 'INTERNAL', executed: 'no' },
    });
    const write = await client.request('mailbox.create', { session: 'live', mailbox: 'a' });
    expect(write.error?.data).toEqual({ kind: 'INTERNAL', executed: 'maybe' });
    expect((await client.request('rpc.discover')).error?.data.kind).toBe('INTERNAL');
    const entry = logged.find(({ method, level }) => method === 'broker.ping' && level === 'error');
    expect(entry).toMatchObject({ err: { message: 'secret detail', cause: { message: 'deeper' } } });
    expect(JSON.stringify(entry)).toContain('at ');
    expect(JSON.stringify(logged)).not.toContain('somebody');
  });

  it.each([
    ['undefined', undefined],
    ['a BigInt', { a: 1n }],
  ])('whose handler answers %s answers INTERNAL', async (_label, result) => {
    const { connect } = await stubBroker({ handlers: { 'broker.ping': async () => result } });
    const client = await connect();
    expect((await client.request('broker.ping')).error?.data.kind).toBe('INTERNAL');
  });

  it('whose answer would be too large answers TOO_LARGE, and says that a write was done', async () => {
    const large = async () => ({ large: 'ä'.repeat(600) });
    const { connect } = await stubBroker({
      limits: { answerBytes: 1000 },
      handlers: { 'broker.ping': large, 'mailbox.create': large },
    });
    const client = await connect();
    expect((await client.request('broker.ping')).error).toMatchObject({ data: { kind: 'TOO_LARGE', executed: 'no' } });
    const write = await client.request('mailbox.create', { session: 'live', mailbox: 'a' });
    expect(write.error?.data).toEqual({ kind: 'TOO_LARGE', executed: 'yes' });
  });

  it('carries what an error tells to the caller', async () => {
    const { connect } = await stubBroker({
      handlers: {
        'mailbox.create': async () => {
          const imap = { status: 'NO' as const, code: 'OVERQUOTA', text: 'full' };
          throw new BrokerError('IMAP_NO', 'refused', {
            imap,
            executed: 'maybe',
            retryAfterMs: 5,
            cause: new Error('no'),
          });
        },
      },
    });
    const client = await connect();
    const { error } = await client.request('mailbox.create', { session: 'live', mailbox: 'a' });
    expect(error).toEqual({
      code: -32020,
      message: 'refused',
      data: {
        kind: 'IMAP_NO',
        executed: 'maybe',
        retryAfterMs: 5,
        imap: { status: 'NO', code: 'OVERQUOTA', text: 'full' },
      },
    });
  });

  it('leaves one line in the log: its ids, method, tenant, time, outcome, and nothing of its params', async () => {
    const { connect, logged } = await stubBroker();
    const client = await connect();
    await client.request('session.open', {
      server: 'secret-server',
      user: 'secret-user',
      auth: { password: 'secret' },
    });
    await client.request('session.open', { server: 'secret-server', secret: 'secret' });
    const lines = logged.filter(({ msg }) => msg === 'request');
    expect(lines).toMatchObject([
      { socket: 'socket-1', id: 1, method: 'session.open', tenant: 'shop', ms: expect.any(Number), outcome: 'ok' },
      { socket: 'socket-1', id: 2, method: 'session.open', tenant: 'shop', outcome: 'INVALID_PARAMS' },
    ]);
    const [first, second] = lines.map(({ request }) => request as number);
    expect(second).toBe((first ?? 0) + 1);
    expect(JSON.stringify(logged)).not.toContain('secret');
  });

  it('is told to those who count, with its account, until they have heard enough', async () => {
    const { connect, answered } = await stubBroker({ handlers: { 'quota.get': async () => ({}) } });
    const heard: Answered[] = [];
    const unlisten = answered.add((one) => heard.push(one));
    const client = await connect();
    await client.request('quota.get', { session: 'live' });
    await client.request('no.method');
    unlisten();
    await client.request('broker.ping');
    expect(heard).toEqual([
      { method: 'quota.get', tenant: 'shop', account: 'k', ms: expect.any(Number), outcome: 'ok' },
      { method: undefined, tenant: 'shop', account: undefined, ms: expect.any(Number), outcome: 'METHOD_NOT_FOUND' },
    ]);
  });

  it('is held against the contract when the broker is told to', async () => {
    const { connect, logged } = await stubBroker({
      checkResults: true,
      handlers: { 'broker.ping': async () => ({ version: 5 }) },
    });
    const client = await connect();
    expect((await client.request('broker.ping')).error?.data.kind).toBe('INTERNAL');
    expect(JSON.stringify(logged)).toContain('ZodError');
  });
});
