import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { subprotocol } from '../../src/protocol/limits.js';
import { builtProgram } from './built.js';
import { Program } from './program.js';
import { runMain } from './run-main.js';
import { SMALL_CONFIG } from './small-config.js';

let program: string;
let running: Program[] = [];
beforeAll(() => {
  program = builtProgram();
}, 120_000);
afterEach(async () => {
  await Promise.all(running.map((one) => one.stop('SIGKILL')));
  running = [];
});

function serve(...args: string[]): Program {
  const one = new Program(process.execPath, [program, 'serve', ...args]);
  running.push(one);
  return one;
}

/** A WebSocket that has got its hello. */
async function open(url: string, token: string): Promise<WebSocket> {
  const socket = new WebSocket(url, subprotocol, { headers: { authorization: `Bearer ${token}` } });
  await new Promise((resolve, reject) => socket.once('message', resolve).once('error', reject));
  return socket;
}

const CONFIG = `${SMALL_CONFIG}[log]
level = "error"
`;
const flags = ['--insecure-no-tls', '--listen', '127.0.0.1:0'];

describe('imap-broker serve with flags alone', () => {
  it('makes a token, prints it with the lines to try next, and lets its holder in', async () => {
    const broker = serve('--server', '127.0.0.1:1', ...flags);
    const [, url = ''] = await broker.printed(/export IMAP_BROKER_URL=(\S+) /);
    const [, token = ''] = await broker.printed(/IMAP_BROKER_TOKEN=(\S+)\n/);
    expect(broker.err).toContain(`Bearer token, made for this run alone: ${token}`);
    expect(broker.err).toContain(`npx imap-broker call session.open '{"server":"127.0.0.1"`);
    expect(broker.out).not.toContain(token);
    const socket = await open(url, token);
    await expect(open(url, `${token}x`)).rejects.toThrow('401');
    socket.terminate();
    expect(await broker.stop('SIGTERM')).toBe(0);
  });

  it('does not print a token that was given to it', async () => {
    const broker = serve('--server', '127.0.0.1:1', ...flags, '--token', 'given-by-hand');
    const [, url = ''] = await broker.printed(/export IMAP_BROKER_URL=(\S+) /);
    (await open(url, 'given-by-hand')).terminate();
    expect(await broker.stop('SIGINT')).toBe(0);
    expect(broker.out + broker.err).not.toContain('given-by-hand');
  });

  it('fails with one sentence when the address is taken', async () => {
    const first = serve('--server', 'localhost', ...flags);
    const [, port = ''] = await first.printed(/ws:\/\/127\.0\.0\.1:(\d+)/);
    const second = serve('--server', 'localhost', '--listen', `127.0.0.1:${port}`, '--token', 't');
    expect(await second.ended()).toBe(1);
    expect(second.err).toMatch(/^imap-broker: cannot listen: .*EADDRINUSE.*\n$/);
  });
});

describe('signals', () => {
  it('let a running request finish, and stop at once when a second one comes', async () => {
    // It answers the look of the banner, and then no login.
    const silent = createServer((socket) => void socket.on('error', () => {}));
    silent.once('connection', (socket) => socket.write('* OK ready\r\na OK done\r\n'));
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const address = silent.address();
    const port = typeof address === 'object' ? address?.port : 0;
    const broker = serve('--server', `127.0.0.1:${port}`, ...flags, '--token', 't');
    const [, url = ''] = await broker.printed(/export IMAP_BROKER_URL=(\S+) /);
    const socket = await open(url, 't');
    const connected = new Promise((resolve) => silent.once('connection', resolve));
    const params = { server: '127.0.0.1', user: 'u', auth: { password: 'p' } };
    socket.send(JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'session.open', params }));
    await connected;
    broker.child.kill('SIGTERM');
    await broker.printed(/draining/);
    expect(broker.child.exitCode).toBeNull();
    expect(await broker.stop('SIGTERM')).toBe(1);
    expect(broker.out).toContain('stopped at once');
    silent.close();
  });
});

describe('a broker whose log is not read any more', () => {
  it('goes on serving and ends when it is told to', async () => {
    const broker = serve('--server', '127.0.0.1:1', ...flags, '--token', 't');
    const [, url = ''] = await broker.printed(/export IMAP_BROKER_URL=(\S+) /);
    broker.child.stdout?.destroy();
    (await open(url, 't')).terminate();
    expect(await broker.stop('SIGTERM')).toBe(0);
  });
});

describe('imap-broker serve with a configuration file and a flag', () => {
  it('tells operators at the admin socket which value is from where', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'imap-broker-serve-'));
    const file = join(folder, 'config.toml');
    writeFileSync(file, CONFIG);
    const broker = serve('--config', file, '--log-level', 'info');
    await broker.printed(/"msg":"listening"/);
    const { code, out } = await runMain('config', '--url', `unix:${join(folder, 'admin.sock')}`);
    expect(code).toBe(0);
    expect(out).toMatch(/^log\.level +info +flag$/m);
    expect(out).toMatch(/^admin\.mode +0o600 +default$/m);
    expect(out).toMatch(/^server\[0\]\.name +main +file$/m);
    expect(await broker.stop('SIGTERM')).toBe(0);
    rmSync(folder, { recursive: true });
  });
});
