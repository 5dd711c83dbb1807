import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fstatSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { createLog } from '../../src/runtime/log/log.js';
import { builtProgram } from '../cli/built.js';
import { Dovecot, newUser, PASSWORD } from '../support/dovecot.js';
import { RawClient, runBroker } from '../support/running-broker.js';
import { Tmux } from '../support/tmux.js';

let dovecot: Dovecot;
let broker: Awaited<ReturnType<typeof runBroker>>;
let client: RawClient;
let lines: Record<string, unknown>[] = [];
let program: string;
beforeAll(async () => {
  program = builtProgram();
  dovecot = await Dovecot.start();
  const destination = new Writable({
    write(line: Buffer, _encoding, done) {
      lines.push(JSON.parse(line.toString()) as Record<string, unknown>);
      done();
    },
  });
  const servers = [dovecot.server(), dovecot.server({ name: 'unreachable', port: 1 })];
  broker = await runBroker(dovecot, { servers, log: createLog('debug', destination) });
  client = await RawClient.open(broker.url);
}, 120_000);
afterAll(async () => {
  await client.close();
  await broker.stop();
  await dovecot.stop();
});

const told = (msg: string) => lines.filter((line) => line.msg === msg);

describe('the log', () => {
  it('has for each request one line that joins the caller’s id, the socket and the IMAP connection', async () => {
    const session = await client.login(newUser());
    const { id, answer } = client.request('message.list', { session, mailbox: 'INBOX' });
    await answer;
    const [opened] = told('IMAP connection opened');
    const asked = told('request').filter(({ method }) => method === 'message.list');
    expect(asked).toMatchObject([{ id, socket: 'socket-1', request: expect.any(Number), outcome: 'ok' }]);
    expect(asked[0]?.connection).toBe(opened?.connection);
    expect(told('socket opened')).toMatchObject([{ socket: 'socket-1', tenant: 'webmail' }]);
  });

  it('says what ended an IMAP connection, unless the broker did', async () => {
    const user = newUser();
    await client.login(user);
    const connection = told('IMAP connection opened').at(-1)?.connection;
    await dovecot.kick(user);
    const ended = () => told('IMAP connection ended').find((line) => line.connection === connection);
    await expect.poll(ended).toMatchObject({ why: 'BYE', server: 'dovecot', received: expect.any(Number) });
  });

  it('warns of a server that cannot be reached, with the cause, and spares itself where many ask', async () => {
    lines = [];
    const open = { server: 'unreachable', auth: { password: PASSWORD } };
    for (let time = 0; time < 20; time += 1) {
      const one = client.call('session.open', { ...open, user: newUser() });
      await expect(one).rejects.toMatchObject({ data: { kind: 'UPSTREAM_UNAVAILABLE' } });
    }
    const warned = told('no IMAP connection').filter(({ level }) => level === 'warn');
    expect(warned[0]).toMatchObject({
      server: 'unreachable',
      connection: expect.stringMatching(/^unreachable-\d+$/),
      why: 'No connection to the IMAP server "unreachable": ECONNREFUSED',
    });
    // Once for the same cause, and in one line.
    expect(warned).toHaveLength(1);
    expect(JSON.stringify(warned)).not.toContain('stack');
  });

  it('warns again of the same cause once the server was reached in between', async () => {
    lines = [];
    const open = () =>
      client.call('session.open', { server: 'dovecot', user: newUser(), auth: { password: PASSWORD } });
    for (const time of [1, 2]) {
      await dovecot.kill();
      await expect(open()).rejects.toMatchObject({ data: { kind: 'UPSTREAM_UNAVAILABLE' } });
      await expect(open()).rejects.toMatchObject({ data: { kind: 'UPSTREAM_UNAVAILABLE' } });
      await dovecot.run();
      await open();
      expect(told('no IMAP connection').filter(({ level }) => level === 'warn')).toHaveLength(time);
      expect(told('IMAP server can be reached again')).toHaveLength(time);
    }
  });

  it('does not warn of a wrong password', async () => {
    lines = [];
    const open = { server: 'dovecot', user: newUser(), auth: { password: 'wrong' } };
    await expect(client.call('session.open', open)).rejects.toMatchObject({ data: { kind: 'IMAP_AUTH_FAILED' } });
    expect(told('no IMAP connection')).toMatchObject([{ level: 'debug' }]);
    expect(lines.filter(({ level }) => level !== 'debug')).toEqual([]);
  });
});

describe('the log of a program', () => {
  const args = () => [
    ...[program, 'serve', '--server', `localhost:${dovecot.plainPort}`, '--insecure-no-tls'],
    ...['--listen', '127.0.0.1:0'],
  ];

  it('is plain text on a terminal', async () => {
    const terminal = new Tmux(200, 30);
    await terminal.shows(/shell>/);
    terminal.type([process.execPath, ...args()].map((arg) => `'${arg}'`).join(' '));
    await terminal.shows(/^\d\d:\d\d:\d\d INFO {2}listening version=\S+ urls=\["ws:\/\/127\.0\.0\.1:\d+"\] /m);
    terminal.press('C-c');
    await terminal.shows(/^\d\d:\d\d:\d\d INFO {2}stopped$/m);
  }, 60_000);

  it('has a priority in front of each line for the journal, and is JSON behind that', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'imap-broker-lines-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const file = join(folder, 'journal');
    const journal = openSync(file, 'a');
    const { dev, ino } = fstatSync(journal);
    const env = { ...process.env, JOURNAL_STREAM: `${dev}:${ino}` };
    const child = spawn(process.execPath, args(), { stdio: ['ignore', journal, 'ignore'], env });
    onTestFinished(() => void child.kill('SIGKILL'));
    await expect.poll(() => readFileSync(file, 'utf8')).toContain('"msg":"listening"');
    const ended = once(child, 'exit');
    child.kill('SIGTERM');
    await ended;
    for (const line of readFileSync(file, 'utf8').trimEnd().split('\n')) {
      expect(line).toMatch(/^<6>\{"level":"info","time":"\d{4}-\d\d-\d\dT[\d:.]+Z",/);
      expect(JSON.parse(line.slice(3))).toMatchObject({ msg: expect.any(String) });
    }
  }, 60_000);

  it('says in the journal that it is an error where the program cannot start', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'imap-broker-lines-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const journal = openSync(join(folder, 'journal'), 'a');
    const { dev, ino } = fstatSync(journal);
    const options = { env: { ...process.env, JOURNAL_STREAM: `${dev}:${ino}` } };
    const given = [program, 'serve', '--config', join(folder, 'missing.toml')];
    const [code] = await once(
      spawn(process.execPath, given, { stdio: ['ignore', journal, journal], ...options }),
      'exit',
    );
    expect(code).toBe(2);
    expect(readFileSync(join(folder, 'journal'), 'utf8')).toMatch(/^<3>imap-broker: .*missing\.toml/);
  }, 60_000);
});
