import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Broker } from '../../src/broker/broker.js';
import { parseConfig } from '../../src/config/load.js';
import { encodeStreamFrame, StreamFrameType } from '../../src/protocol/frames.js';
import { tenantWith } from '../../src/session/tenant.js';
import { hashToken } from '../../src/session/tenants.js';
import { Dovecot, newUser } from '../support/dovecot.js';
import { deterministicBytes, message } from '../support/mail.js';
import { RawClient, runBroker, TOKEN } from '../support/running-broker.js';
import { runMain } from './run-main.js';

const HASH = hashToken(TOKEN);
const CONFIG = `
[admin]
socket = "admin.sock"
[[listener]]
host = "127.0.0.1"
port = 0
[[server]]
name = "dovecot"
host = "localhost"
tls = "none"
[[tenant]]
name = "webmail"
token_hashes = ["${HASH}"]
[pool]
idle_seconds = 60
`;

let folder: string;
let dovecot: Dovecot;
let broker: Broker & { url: string };
let client: RawClient;
let admin: string;
const user = newUser('anna');
const other = newUser('berta');
let session: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'imap-broker-see-'));
  dovecot = await Dovecot.start();
  broker = await runBroker(dovecot, {
    listeners: [
      { host: '127.0.0.1', port: 0 },
      { unix: join(folder, 'admin.sock'), mode: 0o600, forOperators: true },
    ],
    tenants: [tenantWith({ name: 'webmail', tokenHashes: [HASH] })],
    settings: parseConfig(CONFIG, folder).broker.settings ?? [],
    checkResults: true,
  });
  client = await RawClient.open(broker.url);
  admin = broker.urls[1] ?? '';
  const attachments = [{ filename: 'film.bin', content: deterministicBytes(2 * 1024 * 1024) }];
  await dovecot.deliver(user, 'INBOX', message({ subject: 'Secret subject', attachments }));
  session = await client.login(user);
  await client.call('message.list', { session, mailbox: 'INBOX' });
  await client.login(other);
});
afterAll(async () => {
  await client.close();
  await broker.stop();
  await dovecot.stop();
  await rm(folder, { recursive: true });
});

/** The rows of a command's table as lists of cells, by its heading. */
async function rows(...args: string[]): Promise<Record<string, string>[]> {
  const { code, out, err } = await runMain(...args, '--url', admin);
  expect([code, err]).toEqual([0, '']);
  const [heading = '', ...lines] = out.trimEnd().split('\n');
  const titles = heading.split(/ {2,}/);
  return lines.map((line) =>
    Object.fromEntries(
      line
        .trim()
        .split(/ {2,}/)
        .map((cell, at) => [titles[at], cell]),
    ),
  );
}

async function json(...args: string[]) {
  const { code, out, err } = await runMain(...args, '--url', admin, '--json');
  expect([code, err]).toEqual([0, '']);
  return JSON.parse(out);
}

describe('imap-broker status', () => {
  it('is one screen: load, errors, servers, caps and how near they are', async () => {
    const wrong = client.call('session.open', { server: 'nowhere', user, auth: { password: 'x' } });
    await expect(wrong).rejects.toThrow(/no IMAP server/);
    const { code, out } = await runMain('status', '--url', admin);
    expect(code).toBe(0);
    const lines = out.trimEnd().split('\n');
    expect(lines[0]).toMatch(
      /^imap-broker \d+\.\d+\.\d+ {2}\S+ {2}running {2}up \d+s {2}memory \d+ MiB {2}pid \d+ {2}Node v\d+\.\S+ {2}epoch [0-9a-f]{16}$/,
    );
    expect(lines[1]).toMatch(/^load +[\d.]+ requests\/s {2}\d+ running {2}0 waiting {2}event loop [\d.]+ ms late$/);
    expect(lines[2]).toMatch(/^latency +p50 [\d.]+m?s {2}p95 [\d.]+m?s {2}p99 [\d.]+m?s {2}\(last minute\)$/);
    expect(lines[3]).toMatch(/^errors +SERVER_NOT_ALLOWED 1 \(webmail, [\d.]+\/s\) {2}\(last 5 minutes\)$/);
    expect(lines[4]).toBe('servers      dovecot reachable');
    expect(lines[5]).toBe('sockets      2  of 1000  (0 %)');
    expect(lines[6]).toBe('connections  2  of 1000  (0 %)');
    expect(lines[7]).toBe('sessions     2  of 100000  (0 %)');
    expect(lines[8]).toBe('accounts     2');
    expect(lines[9]).toMatch(/^view bytes +[\d.]+ KiB {2}of 128 MiB {2}\(0 %\)$/);
    expect(lines[13]).toMatch(/^TENANT +SERVER +USER +REQ\/S +P50 +P95 +P99$/);
    const took = ' +[\\d.]+m?s';
    expect(lines.slice(14)).toContainEqual(
      expect.stringMatching(new RegExp(`^webmail +dovecot +${user} +0\\.\\d\\d${took}${took}${took}$`)),
    );
    expect(lines.length).toBeLessThan(25);
  });

  it('tells the same as JSON', async () => {
    const status = await json('status');
    expect(status).toMatchObject({ state: 'running', pid: process.pid, node: process.version });
    expect(status.requests.perSecond).toBeGreaterThan(0);
    expect(Date.parse(status.startedAt)).toBeLessThan(Date.now());
    expect(status.caps).toContainEqual({ name: 'connections', used: 2, limit: 1000 });
    expect(status.busiest[0]).toMatchObject({ tenant: 'webmail', latencyMs: { p99: expect.any(Number) } });
  });
});

describe('imap-broker status --all', () => {
  it('tells of each broker in turn, and of one that cannot be reached what is wrong', async () => {
    const { code, out, err } = await runMain('status', '--all', admin, 'unix:/nowhere/admin.sock', admin);
    expect(code).toBe(1);
    expect(out.match(/^(?:== .*|imap-broker \S+ {2}\S+ {2}running)/gm)).toEqual([
      `== ${admin}`,
      expect.stringMatching(/running$/),
      '== unix:/nowhere/admin.sock',
      `== ${admin}`,
      expect.stringMatching(/running$/),
    ]);
    expect(err).toBe(
      'imap-broker: no broker can be reached at unix:/nowhere/admin.sock: ENOENT. There is no such socket: does the broker run?\n',
    );
    expect((await runMain('status', '--all', admin, admin)).code).toBe(0);
  });
});

describe('imap-broker accounts and pools', () => {
  it('show what an account takes of the broker, and what its connections do', async () => {
    const names = { TENANT: 'webmail', SERVER: 'dovecot', USER: user };
    expect(await rows('accounts', '--user', user)).toEqual([
      { ...names, SESSIONS: '1', WATCHES: '0', VIEWS: expect.stringMatching(/KiB$/), CONNECTIONS: '1', WAITING: '0' },
    ]);
    expect(await rows('pools', '--user', user)).toEqual([
      {
        ...{ ...names, IDLE: '1', BUSY: '0', WATCHING: '0', CONNECTING: '0', BUDGET: '3' },
        ...{ WAITING: '0', 'LONGEST WAIT': '-' },
      },
    ]);
  });

  it('show a page at a time, and those that were asked for alone', async () => {
    const { out } = await runMain('accounts', '--url', admin, '--limit', '1');
    expect(out).toContain('1 more: --offset 1\n');
    expect((await rows('accounts', '--offset', '1')).map(({ USER }) => USER)).toEqual([other]);
    expect(await rows('accounts', '--tenant', 'another')).toEqual([]);
    expect(await rows('accounts', '--server', 'dovecot')).toHaveLength(2);
    expect(await rows('accounts', '--server', 'dove')).toEqual([]);
    expect(await json('accounts', '--user', other)).toMatchObject({ total: 1, nextOffset: null });
  });
});

describe('imap-broker connections', () => {
  it('shows state, folder, age, requests and bytes of each', async () => {
    const all = await rows('connections', '--user', user);
    expect(all).toEqual([
      {
        ...{ CONNECTION: expect.stringMatching(/^dovecot-\d+$/), TENANT: 'webmail', USER: user, STATE: 'idle' },
        ...{ MAILBOX: 'INBOX', AGE: expect.stringMatching(/^\d+s$/), IDLE: expect.stringMatching(/^\d+s$/) },
        ...{ SERVED: '2', SENT: expect.stringMatching(/B$/), RECEIVED: expect.stringMatching(/B$/) },
      },
    ]);
    const { connections } = await json('connections', '--user', other);
    expect(connections).toMatchObject([{ user: other, state: 'idle', mailbox: null, served: 1 }]);
    expect(connections[0].receivedBytes).toBeGreaterThan(100);
  });
});

describe('imap-broker sockets', () => {
  it('shows who has them, where they come from and what they do', async () => {
    const [first, second] = await rows('sockets');
    expect(first).toMatchObject({
      SOCKET: 'socket-1',
      TENANT: 'webmail',
      PEER: expect.stringMatching(/^127\.0\.0\.1:\d+$/),
    });
    expect(first).toMatchObject({ RUNNING: '0', STREAMS: '0', BUFFERED: '0 B', WATCHES: '0' });
    expect(Number(first?.SERVED)).toBeGreaterThan(2);
    expect(second).toMatchObject({ TENANT: 'admin socket', PEER: 'unix', RUNNING: '1', SERVED: '0' });
    expect(await rows('sockets', '--tenant', 'webmail')).toHaveLength(1);
  });
});

describe('imap-broker sessions', () => {
  it('shows who may act on which account, and nothing that a session could be opened with', async () => {
    const { sessions } = await json('sessions', '--user', user);
    expect(sessions).toEqual([
      {
        ...{ id: expect.stringMatching(/^[\w-]{22}$/), tenant: 'webmail', server: 'dovecot', user },
        ...{ openedAt: expect.any(String), expiresAt: expect.any(String) },
      },
    ]);
    await expect(client.call('session.info', { session: sessions[0].id })).rejects.toThrow(/unknown or ended/);
    expect(await rows('sessions', '--user', user)).toMatchObject([{ 'EXPIRES IN': '11h59m' }]);
  });
});

describe('imap-broker watches', () => {
  it('shows which folders are watched, for how many sockets', async () => {
    expect(await rows('watches')).toEqual([]);
    await client.call('watch.start', { session, mailboxes: ['INBOX', 'Sent'] });
    // Nothing is wrong with a folder that was opened a moment ago, and that is polled for the first time half a minute later.
    expect(await rows('watches')).toMatchObject([
      { USER: user, ALIVE: 'yes', MAILBOXES: 'INBOX, Sent', SOCKETS: '1', 'LAST EVENT': '0' },
    ]);
    expect((await rows('sockets'))[0]).toMatchObject({ WATCHES: '2' });
    await expect
      .poll(() => rows('connections', '--user', user))
      .toContainEqual(expect.objectContaining({ STATE: 'watching', MAILBOX: 'INBOX' }));
    await client.call('watch.stop', { session });
  });
});

describe('imap-broker servers', () => {
  it('shows whether each can be reached, and how many connections it lets users have', async () => {
    expect(await rows('servers')).toEqual([
      {
        ...{ SERVER: 'dovecot', STATE: 'reachable', FAILED: '0', 'RETRY IN': '-' },
        ...{ CONNECTIONS: expect.stringMatching(/^[23]$/), LIMIT: '500', ACCOUNTS: '2', WAITING: '0', REDUCED: '0' },
      },
    ]);
  });
});

describe('imap-broker streams', () => {
  it('shows a download that stands still for want of credit', async () => {
    expect(await rows('streams')).toEqual([]);
    const { uidValidity } = await client.call('message.list', { session, mailbox: 'INBOX' });
    const source = client.call('message.source', { session, mailbox: 'INBOX', uidValidity, uid: 1 });
    const { stream } = await source;
    await expect
      .poll(async () => (await json('streams')).streams)
      .toEqual([
        {
          ...{ socket: 'socket-1', tenant: 'webmail', stream, direction: 'download', method: 'message.source' },
          ...{ bytes: 256 * 1024, ageMs: expect.any(Number), stalledMs: expect.any(Number) },
        },
      ]);
    expect(await rows('streams')).toMatchObject([{ METHOD: 'message.source', BYTES: '256 KiB' }]);
    client.notify('$/credit', { stream, bytes: 100_000_000 });
    await expect.poll(() => rows('streams')).toEqual([]);
  });
});

describe('imap-broker streams, of an upload', () => {
  it('shows what has come by now', async () => {
    const upload = client.request('message.append', { session, mailbox: 'INBOX', stream: 1, size: 1000 });
    client.ws.send(encodeStreamFrame(StreamFrameType.DATA, 1, Buffer.alloc(100, 'a')));
    await expect
      .poll(async () => (await json('streams')).streams)
      .toMatchObject([{ stream: 1, direction: 'upload', method: 'message.append', bytes: 100 }]);
    client.notify('$/cancelRequest', { id: upload.id });
    await expect(upload.answer).rejects.toThrow(/cancelled/);
    await expect.poll(() => rows('streams')).toEqual([]);
  });
});

describe('imap-broker config', () => {
  it('shows each value and where it comes from, and no secret', async () => {
    const all = await rows('config');
    expect(all).toContainEqual({ KEY: 'pool.idle_seconds', VALUE: '60', FROM: 'file' });
    expect(all).toContainEqual({ KEY: 'pool.connections', VALUE: '1000', FROM: 'default' });
    expect(all).toContainEqual({ KEY: 'tenant[0].token_hashes', VALUE: '1 of them', FROM: 'file' });
    expect(JSON.stringify(await json('config'))).not.toContain(HASH);
  });
});

describe('a command that shows something', () => {
  it.each([
    ['status', 'broker.status'],
    ['accounts', 'account.list'],
    ['pools', 'account.list'],
    ['connections', 'connection.list'],
    ['sockets', 'socket.list'],
    ['sessions', 'session.list'],
    ['watches', 'watch.list'],
    ['servers', 'server.list'],
    ['streams', 'stream.list'],
    ['config', 'config.get'],
  ])('%s is refused to who is no operator, and says what is missing', async (command, method) => {
    const { code, out, err } = await runMain(command, '--url', broker.url, '--token-file', await tokenFile());
    expect([code, out]).toEqual([1, '']);
    expect(err).toBe(
      `imap-broker: FORBIDDEN: ${method} needs the scope "admin", which this application does not have.\n`,
    );
  });

  it.each([
    [
      ['accounts', '--limit', '0'],
      /option '--limit <count>' argument '0' is invalid\. It must be a whole number from 1 to 1000\./,
    ],
    [['sockets', '--offset', '-1'], /It must be a whole number from 0 to 10000000\./],
    [['sockets', '--user', 'anna'], /unknown option '--user'/],
    [['connections', '--tenant', 'a b'], /INVALID_PARAMS: tenant: a name is printable ASCII without blanks/],
    [['status', 'now'], /too many arguments/],
  ])('%j is wrong usage, told in one sentence', async (args, message) => {
    const { code, out, err } = await runMain(...args, '--url', admin);
    expect([code, out]).toEqual([2, '']);
    expect(err).toMatch(message);
  });
});

async function tokenFile(): Promise<string> {
  const path = join(folder, 'token');
  await writeFile(path, TOKEN);
  return path;
}
