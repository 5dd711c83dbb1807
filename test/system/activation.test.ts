import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createClient } from '../../src/client/index.js';
import { hashToken } from '../../src/session/tenants.js';
import { builtProgram } from '../cli/built.js';
import { Program } from '../cli/program.js';
import { NotifySocket } from '../support/notify-socket.js';
import { freePorts } from '../support/ports.js';
import { RawClient } from '../support/running-broker.js';

let folder: string;
let config: string;
let running: Program[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'imap-broker-activation-'));
  config = join(folder, 'config.toml');
  configure('[[listener]]\nsystemd = "clients"\n');
}, 120_000);
afterEach(async () => {
  await Promise.all(running.map((one) => one.stop('SIGKILL')));
  running = [];
  rmSync(folder, { recursive: true, force: true });
});

function configure(listeners: string): void {
  const server = '[[server]]\nname = "dovecot"\nhost = "127.0.0.1"\n';
  const tenant = `[[tenant]]\nname = "webmail"\ntoken_hashes = ["${hashToken('one')}"]\n`;
  writeFileSync(config, listeners + server + tenant);
}

/** Runs the broker as systemd would, with a socket that waits for the first who connects. */
async function activated(address: string, name: string, notify?: NotifySocket): Promise<Program> {
  const activate = ['-l', address, '--fdname', name, '-E', 'NOTIFY_SOCKET', '-E', 'WATCHDOG_USEC', '-E', 'PATH'];
  const env = notify === undefined ? {} : { NOTIFY_SOCKET: notify.path, WATCHDOG_USEC: '600000' };
  const serve = [process.execPath, builtProgram(), 'serve', '--config', config];
  const one = new Program('systemd-socket-activate', [...activate, ...serve], { env });
  running.push(one);
  await one.printed(/Listening on/);
  return one;
}

describe('a socket that systemd has opened', () => {
  it('is the listener that has its name, from the first who connects on; the manager hears of all that follows', async () => {
    const path = join(folder, 'clients.sock');
    const notify = await NotifySocket.open(join(folder, 'notify'));
    const broker = await activated(path, 'clients', notify);
    const client = createClient({ url: `unix:${path}`, token: 'one' });
    await client.broker.ping();
    const ready = await notify.next('READY=1');
    expect(ready.lines).toContain('STATUS=listening at systemd:clients');
    await notify.next('WATCHDOG=1');
    broker.child.kill('SIGTERM');
    const stopping = await notify.next('STOPPING=1');
    expect(stopping.lines).toContain('EXTEND_TIMEOUT_USEC=35000000');
    expect(await broker.ended()).toBe(0);
    client.close();
    await notify.close();
  });

  it('lets hundreds wait in line while the broker does not come to them', async () => {
    const path = join(folder, 'clients.sock');
    const broker = await activated(path, 'clients');
    const client = await RawClient.open(`ws+unix:${path}`, 'one');
    broker.child.kill('SIGSTOP');
    const waiting = Array.from({ length: 700 }, () => connect(path));
    await Promise.all(waiting.map((socket) => once(socket, 'connect')));
    broker.child.kill('SIGCONT');
    for (const socket of waiting) socket.destroy();
    await client.call('broker.ping', {});
    await client.close();
  });

  it('may be TCP on loopback; the log names its port', async () => {
    const [port = 0] = await freePorts(1);
    const broker = await activated(`127.0.0.1:${port}`, 'clients');
    const client = await RawClient.open(`ws://127.0.0.1:${port}`, 'one');
    await client.call('broker.ping', {});
    expect(broker.out).toContain(`"ws://127.0.0.1:${port}"`);
    await client.close();
  });

  it.each([
    [
      'has another name',
      'clients',
      'others',
      /passed a socket named "others", but no \[\[listener\]\] says systemd = "others"/,
    ],
    ['was not passed', 'more', 'clients', /systemd has passed no socket with FileDescriptorName=more/],
  ])('is refused in one sentence when it %s', async (_how, configured, passed, sentence) => {
    const also = configured === 'more' ? '[[listener]]\nsystemd = "clients"\n' : '';
    configure(`${also}[[listener]]\nsystemd = "${configured}"\n`);
    const path = join(folder, 'clients.sock');
    const broker = await activated(path, passed);
    const client = createClient({ url: `unix:${path}`, token: 'one' });
    const ping = client.broker.ping().catch(() => {});
    expect(await broker.ended()).toBeGreaterThan(0);
    expect(broker.err).toMatch(sentence);
    client.close();
    await ping;
  });

  it('is refused when it is TCP for other machines without TLS', async () => {
    const [port = 0] = await freePorts(1);
    const broker = await activated(`0.0.0.0:${port}`, 'clients');
    const client = createClient({ url: `ws://127.0.0.1:${port}`, token: 'one' });
    const ping = client.broker.ping().catch(() => {});
    expect(await broker.ended()).toBe(1);
    expect(broker.err).toContain('0.0.0.0 is not a loopback address: that needs TLS.');
    client.close();
    await ping;
  });
});
