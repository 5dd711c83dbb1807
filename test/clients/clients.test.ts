import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Broker } from '../../src/broker/broker.js';
import { contract, type MethodName } from '../../src/protocol/contract.js';
import { digitsOfHash, shardOf, shardText } from '../../src/protocol/shard.js';
import { tenantWith } from '../../src/session/tenant.js';
import { hashToken } from '../../src/session/tenants.js';
import { certificates, clientCertificate } from '../support/certificates.js';
import { Dovecot, newUser, PASSWORD } from '../support/dovecot.js';
import { promptIdle } from '../support/dovecot-conf.js';
import { HostileBroker } from '../support/hostile-broker.js';
import { deterministicBytes, message } from '../support/mail.js';
import { freePorts } from '../support/ports.js';
import { RawClient, runBroker, TOKEN } from '../support/running-broker.js';
import { waitFor } from '../support/wait-for.js';
import { Driver, languages } from './driven.js';

const SIZES = [0, 1, 20, 60_000, 65_536, 200 * 1024, 5 * 1024 * 1024];
const folder = mkdtempSync(join(tmpdir(), 'imap-broker-clients-'));
const at = (name: string) => join(folder, name);
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

let dovecot: Dovecot;
let broker: Broker;
let ports: number[];
/** Of another name, by the same authority. */
let elsewhere: { cert: string; key: string };
const urls = { ws: '', wss: '', elsewhere: '', unix: `unix:${at('a broker.sock')}` };
const user = newUser('client');

/** Starts the broker on the same addresses and with the same keys each time. */
async function startBroker(): Promise<void> {
  const { cert, key } = certificates();
  const [port = 0, tlsPort = 0, otherPort = 0] = ports;
  broker = await Broker.start({
    listeners: [
      { host: '127.0.0.1', port },
      { host: '127.0.0.1', port: tlsPort, tls: { cert, key } },
      { host: '127.0.0.1', port: otherPort, tls: elsewhere },
      { unix: at('a broker.sock') },
    ],
    tenants: [tenantWith({ name: 'webmail', tokenHashes: [hashToken(TOKEN)] })],
    servers: [dovecot.server({ name: 'main' })],
    sessionFiles: { keyFile: at('keys.json'), createKeys: true },
    log: pino({ level: 'silent' }),
  });
  Object.assign(urls, { ws: `ws://127.0.0.1:${port}`, wss: `wss://localhost:${tlsPort}` });
  urls.elsewhere = `wss://localhost:${otherPort}`;
}

beforeAll(async () => {
  dovecot = await Dovecot.start({ settings: promptIdle });
  ports = await freePorts(3);
  elsewhere = clientCertificate('elsewhere.example');
  writeFileSync(at('ca.pem'), certificates().ca);
  await startBroker();
  const attachments = SIZES.map((size) => ({ filename: `${size}.bin`, content: deterministicBytes(size) }));
  await dovecot.deliver(user, 'INBOX', [
    message({ subject: 'Grüße', text: 'Short and söft.' }),
    message({ subject: 'Files', text: 'All sizes.', attachments }),
  ]);
});
afterAll(async () => {
  await broker.stop();
  await dovecot.stop();
  rmSync(folder, { recursive: true, force: true });
});

const login = { server: 'main', user, auth: { password: PASSWORD } };

describe.each(languages)('the client for %s', (language, command) => {
  /** A driver with a session of the user. */
  async function logIn(url = urls.ws, options = {}): Promise<Driver> {
    const driver = await Driver.open(command, { url, token: TOKEN, ...options });
    const { session } = await driver.call('session.open', login);
    await driver.ask({ op: 'session', session });
    return driver;
  }

  it('takes address and token from the environment, lists folders and messages, and opens one', async () => {
    const driver = new Driver(command, { IMAP_BROKER_URL: urls.ws, IMAP_BROKER_TOKEN: TOKEN });
    await driver.ask({ op: 'open', options: {} });
    const { session } = await driver.call('session.open', login);
    await driver.ask({ op: 'session', session });
    const { mailboxes } = await driver.call('mailbox.list', { counts: true });
    expect(mailboxes[0]).toMatchObject({ name: 'INBOX', counts: { messages: 2 } });
    const page = await driver.call('message.list', { mailbox: 'INBOX', limit: 10 });
    expect(page.messages.map(({ envelope }) => envelope?.subject)).toEqual(['Files', 'Grüße']);
    const { messages } = await driver.call('message.get', {
      mailbox: 'INBOX',
      uidValidity: page.uidValidity,
      uids: [1],
    });
    expect(messages[0]?.textBody?.[0]?.content?.trim()).toBe('Short and söft.');
    await driver.ask({ op: 'close' });
    expect(await driver.call('message.list', { mailbox: 'INBOX', limit: 1 })).toMatchObject({ total: 2 });
  });

  it.each(['ws', 'wss', 'unix'] as const)(
    'streams attachments and messages of all sizes both ways over %s',
    async (way) => {
      const driver = await logIn(urls[way], way === 'wss' ? { caFile: at('ca.pem') } : {});
      const { uidValidity } = await driver.call('message.list', { mailbox: 'INBOX', limit: 1 });
      const inbox = { mailbox: 'INBOX', uidValidity };
      for (const [index, size] of SIZES.entries()) {
        const part = { ...inbox, uid: 2, part: `${index + 2}` };
        const expected = { bytes: size, sha256: sha256(deterministicBytes(size)) };
        expect((await driver.call('message.part', part)).body, `${size}`).toEqual(expected);
        if (size > 200_000) continue;
        expect((await driver.call('message.part', { ...part, transfer: 'inline' })).body, `${size}`).toEqual(expected);
      }
      await driver.call('mailbox.create', { mailbox: `Both ways ${way} ${language}` });
      for (const size of SIZES) {
        const mail = message({ subject: `${size}`, attachments: [{ content: deterministicBytes(size) }] });
        writeFileSync(at('mail.eml'), mail);
        // As a string and as a file; on the other transports as one of them.
        for (const whole of way === 'ws' ? [true, false] : [way === 'unix']) {
          const append = { mailbox: `Both ways ${way} ${language}`, flags: ['\\Seen'] };
          const stored = await driver.call('message.append', append, { file: at('mail.eml'), whole });
          const source = await driver.call('message.source', stored);
          expect(source.body, `${size}`).toEqual({ bytes: mail.length, sha256: sha256(mail) });
        }
      }
    },
  );

  it('leaves a download half-way, and makes other calls during one', async () => {
    const driver = await logIn();
    const { uidValidity } = await driver.call('message.list', { mailbox: 'INBOX', limit: 1 });
    const large = { mailbox: 'INBOX', uidValidity, uid: 2, part: `${SIZES.length + 1}` };
    const left = await driver.call('message.part', large, { leave: true });
    expect(left.body.bytes).toBeLessThan(300_000);
    await driver.call('message.part', large, { hold: true });
    expect(await driver.call('message.list', { mailbox: 'INBOX', limit: 1 })).toMatchObject({ total: 2 });
    const whole = { bytes: SIZES.at(-1), sha256: sha256(deterministicBytes(SIZES.at(-1) ?? 0)) };
    expect(await driver.ask({ op: 'held' })).toMatchObject({ body: whole });
    expect((await driver.call('message.part', large)).body).toEqual(whole);
  });

  it('tells of a wrong password, a wrong parameter, a wrong token and an append that is refused in mid-stream', async () => {
    const visitor = await Driver.open(command, { url: urls.ws, token: TOKEN });
    expect(await visitor.failure('session.open', { ...login, auth: { password: `wrong ${language}` } })).toMatchObject({
      kind: 'IMAP_AUTH_FAILED',
      executed: 'no',
      code: -32004,
      imap: { status: 'NO' },
    });
    const driver = await logIn();
    expect(await driver.failure('message.list', { mailbox: 'INBOX', limit: 0 })).toMatchObject({
      kind: 'INVALID_PARAMS',
      field: 'limit',
    });
    writeFileSync(at('large.eml'), Buffer.alloc(60 * 1024 * 1024, 'x'));
    const refused = await driver.outcome({
      op: 'call',
      method: 'message.append',
      params: { mailbox: 'INBOX' },
      file: at('large.eml'),
    });
    expect(refused.error).toMatchObject({ kind: 'TOO_LARGE', executed: 'no' });
    expect(await driver.call('message.list', { mailbox: 'INBOX', limit: 1 })).toMatchObject({ total: 2 });
    const stranger = await Driver.open(command, { url: urls.ws, token: 'unknown' });
    expect(await stranger.failure('broker.ping')).toMatchObject({ kind: 'UNAUTHENTICATED', executed: 'no' });
  });

  it.each([
    [{ url: 'http://127.0.0.1:1' }, 'url'],
    [{ url: '127.0.0.1:7143' }, 'url'],
    [{ url: '' }, 'url'],
    [{ url: 'ws://127.0.0.1/\r\nX: y' }, 'url'],
    [{ url: 'ws://127.0.0.1', token: 'one\n' }, 'token'],
  ])('says at once what is wrong with %j', async (options, field) => {
    const { error } = await new Driver(command).outcome({ op: 'open', options });
    expect(error).toMatchObject({ kind: 'INVALID_PARAMS', field, executed: 'no' });
  });

  it('says within its time why there is no socket', async () => {
    const [free] = await freePorts(1);
    for (const url of [`ws://127.0.0.1:${free}`, 'unix:/nowhere/broker.sock']) {
      const driver = await Driver.open(command, { url, connectTimeoutMs: 400 });
      const error = await driver.failure('broker.ping');
      expect(error).toMatchObject({ kind: 'UNREACHABLE', executed: 'no' });
      expect(error.message).toMatch(/refused|No such file/);
    }
  });

  it('speaks TLS to a broker whose authority it is given, and to no other', async () => {
    const trusting = await Driver.open(command, { url: urls.wss, token: TOKEN, caFile: at('ca.pem') });
    await trusting.call('broker.ping');
    for (const [url, options, complaint] of [
      [urls.wss, {}, 'certificate verify failed'],
      [urls.elsewhere, { caFile: at('ca.pem') }, 'elsewhere\\.example|Hostname mismatch'],
    ] as const) {
      const driver = await Driver.open(command, { url, token: TOKEN, ...options });
      const error = await driver.failure('broker.ping');
      expect(error).toMatchObject({ kind: 'UNREACHABLE', executed: 'no', retryAfterMs: null });
      expect(error.message).toMatch(new RegExp(complaint));
    }
    const careless = await Driver.open(command, { url: urls.wss, token: TOKEN, verify: false });
    await careless.call('broker.ping');
  });

  it('goes on with the same session behind a restart of the broker, reading and writing', async () => {
    const driver = await logIn();
    const { uidValidity } = await driver.call('message.list', { mailbox: 'INBOX', limit: 1 });
    const flag = { mailbox: 'INBOX', uidValidity, uids: [1], action: 'add', flags: ['\\Flagged'] };
    for (const [method, params] of [
      ['message.flag', flag],
      ['message.list', { mailbox: 'INBOX', limit: 1 }],
    ] as const) {
      await broker.stop();
      const starting = new Promise((resolve) => setImmediate(resolve)).then(startBroker);
      await driver.call(method, params);
      await starting;
    }
  });

  it('watches a folder over a restart of the broker: each message once, and a resync where some were missed', async () => {
    const watcher = newUser('watcher');
    await dovecot.deliver(watcher, 'INBOX', message({ subject: 'First' }));
    const driver = await Driver.open(command, { url: urls.ws, token: TOKEN });
    const { session } = await driver.call('session.open', { ...login, user: watcher });
    await driver.ask({ op: 'session', session });
    expect(await driver.ask({ op: 'watch', params: { mailboxes: ['INBOX'] } })).toEqual({
      type: 'resync',
      mailboxes: ['INBOX'],
    });
    await dovecot.deliver(watcher, 'INBOX', message({ subject: 'Second' }));
    expect((await driver.eventOf('new')).messages).toMatchObject([{ uid: 2, envelope: { subject: 'Second' } }]);
    await broker.stop();
    await startBroker();
    expect(await driver.eventOf('resync')).toEqual({ type: 'resync', mailboxes: ['INBOX'] });
    await dovecot.deliver(watcher, 'INBOX', message({ subject: 'Third' }));
    expect((await driver.eventOf('new')).messages).toMatchObject([{ uid: 3 }]);
    await driver.ask({ op: 'unwatch' });
    await driver.ask({ op: 'watch', params: { mailboxes: ['INBOX'] }, idleMs: 50 });
    expect(await driver.event()).toBeNull();
    expect(await driver.outcome({ op: 'watch', params: { mailboxes: ['Nowhere'] } })).toMatchObject({
      error: { kind: 'NOT_FOUND' },
    });
  });

  it('misses nothing where it has answered no ping for so long that the broker closed its sockets', async () => {
    const tenant = { name: 'webmail', tokenHashes: [hashToken(TOKEN)], scopes: ['user', 'admin'] as const };
    const impatient = await runBroker(dovecot, { sockets: { heartbeatMs: 100 }, tenants: [tenantWith(tenant)] });
    const operator = await RawClient.open(impatient.url);
    try {
      const slow = newUser('slow');
      await dovecot.deliver(slow, 'INBOX', message({ subject: 'First' }));
      const driver = await Driver.open(command, { url: impatient.url, token: TOKEN });
      const { session } = await driver.call('session.open', { ...login, server: 'dovecot', user: slow });
      await driver.ask({ op: 'session', session });
      const { uidValidity } = await driver.call('message.list', { mailbox: 'INBOX' });
      await driver.ask({ op: 'watch', params: { mailboxes: ['INBOX'] } });
      await waitFor(async () => expect((await operator.call('socket.list', {})).sockets).toHaveLength(1));
      await dovecot.deliver(slow, 'INBOX', message({ subject: 'Second' }));
      expect((await driver.eventOf('new')).messages).toMatchObject([{ uid: 2 }]);
      const flag = { mailbox: 'INBOX', uidValidity, uids: [1], action: 'add', flags: ['\\Seen'] };
      expect(await driver.call('message.flag', flag)).toMatchObject({ messages: [{ uid: 1 }] });
    } finally {
      await operator.close();
      await impatient.stop();
    }
  });

  it.each(['ws', 'wss', 'unix'] as const)(
    'serves workers that were forked from it, each on a socket of its own, over %s',
    async (way) => {
      const driver = await logIn(urls[way], way === 'wss' ? { caFile: at('ca.pem') } : {});
      const page = { mailbox: 'INBOX', limit: 1 };
      await driver.call('message.list', page);
      const answers = await driver.ask({ op: 'fork', children: 3, method: 'message.list', params: page });
      expect(answers).toMatchObject([{ total: 2 }, { total: 2 }, { total: 2 }]);
      expect(await driver.call('message.list', page)).toMatchObject({ total: 2 });
    },
  );

  it('brings all requests of a user to the shard of the user', async () => {
    const hostile = await HostileBroker.start();
    hostile.onRequest = ({ id }, socket) => socket.send({ jsonrpc: '2.0', id, result: {} });
    const driver = await Driver.open(command, { url: hostile.url, token: 'x', shards: 32 });
    const users = [
      'anna@example.org',
      'jürgen',
      'a/b',
      '用户@例子.中国',
      'o"neil',
      'dom\\user',
      '\u2028',
      '\u007f\u0001',
    ];
    for (const name of users) {
      const digits = digitsOfHash(sha256(Buffer.from(shardText('main', name))));
      const socket = `/?shard=${shardOf(digits, 32)}`;
      await driver.call('session.open', { server: 'main', user: name, auth: { password: 'x' } });
      expect(hostile.sockets.map(({ url }) => url)).toContain(socket);
      const before = hostile.sockets.length;
      const token = `${Buffer.from(JSON.stringify({ shard: digits })).toString('base64url')}.x`;
      await driver.call('session.info', { session: token });
      expect(hostile.sockets).toHaveLength(before);
    }
    await driver.call('session.info', { session: 'no token' });
    expect(hostile.sockets.map(({ url }) => url)).toContain('/?shard=0');
  });
});

describe('the methods that the clients send again', () => {
  it.each(languages)(
    'are in %s those that the contract calls no writes, but for the methods of operators',
    async (_language, command) => {
      const hostile = await HostileBroker.start();
      const driver = await Driver.open(command, { url: hostile.url, token: 'x' });
      const names = (Object.keys(contract) as MethodName[]).filter((name) => contract[name].scope === 'user');
      const repeated: string[] = [];
      for (const name of names) {
        hostile.onRequest = (_request, socket) => {
          hostile.onRequest = ({ id, method }, other) => {
            repeated.push(method);
            other.send({ jsonrpc: '2.0', id, result: { data: '' } });
          };
          socket.ws.terminate();
        };
        await driver.outcome({ op: 'call', method: name, params: {} });
      }
      expect(repeated).toEqual(names.filter((name) => contract[name].effect !== 'write'));
    },
  );
});
