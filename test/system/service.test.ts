import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { createClient } from '../../src/client/index.js';
import { version } from '../../src/runtime/version.js';
import { hashToken } from '../../src/session/tenants.js';
import { builtProgram } from '../cli/built.js';
import { Dovecot, newUser } from '../support/dovecot.js';
import { describeManaged, SystemdManager } from '../support/manager/systemd-manager.js';
import { RawClient } from '../support/running-broker.js';

const SERVICE = 'imap-broker.service';
const SOCKET = 'imap-broker.socket';

describeManaged('the shipped units in a systemd manager', () => {
  let dovecot: Dovecot;
  let manager: SystemdManager;
  beforeAll(async () => {
    builtProgram();
    dovecot = await Dovecot.start();
    const debugging = 'Environment=NODE_OPTIONS=--inspect-port=0';
    manager = await SystemdManager.start({
      [SERVICE]: `WatchdogSec=2\n${debugging}`,
      'imap-broker@.service': '',
    });
    configure('config.toml', 'tokens', '/var/lib/imap-broker', '/run/imap-broker/admin.sock');
    await manager.systemctl('start', SOCKET);
  }, 120_000);
  afterAll(async () => {
    await manager.stop();
    await dovecot.stop();
  });

  /** As systemd/config.toml has it, but for the IMAP server. */
  function configure(file: string, tokens: string, state: string, admin: string): void {
    const example = readFileSync(new URL('../../systemd/config.toml', import.meta.url), 'utf8');
    const server = `name = "dovecot"\nhost = "127.0.0.1"\nservername = "localhost"\nport = ${dovecot.tlsPort}\nca_file = "ca.pem"`;
    const text = example
      .replace('name = "main"\nhost = "imap.example.com"', server)
      .replace('/var/lib/imap-broker', state)
      .replace('/run/imap-broker/admin.sock', admin);
    copyFileSync(dovecot.caPath, join(manager.config, 'ca.pem'));
    writeFileSync(join(manager.config, file), text, { mode: 0o644 });
    writeFileSync(join(manager.config, tokens), `${hashToken('webmails-token')}\n`, { mode: 0o600 });
  }

  const connect = (path = '/run/imap-broker.sock') => RawClient.open(`ws+unix:${manager.path(path)}`, 'webmails-token');
  const state = () => manager.show(SERVICE, 'ActiveState', 'SubState', 'MainPID', 'StatusText', 'Result', 'NRestarts');

  it('starts the broker for the first who connects, ready when it can serve', async () => {
    expect((await state()).ActiveState).toBe('inactive');
    const client = await connect();
    const session = await client.login(newUser());
    expect((await client.call('message.list', { session, mailbox: 'INBOX' })).messages).toEqual([]);
    await client.close();
    expect(await state()).toMatchObject({
      ActiveState: 'active',
      SubState: 'running',
      StatusText: 'listening at systemd:clients, unix:/run/imap-broker/admin.sock',
    });
  });

  it('lets root in as operator', async () => {
    const program = ['imap-broker', 'servers', '--url', 'unix:/run/imap-broker/admin.sock'];
    expect(await manager.inside('env', ...program)).toContain('dovecot  reachable');
  });

  it('reloads: a good file takes effect, a bad one changes nothing and the log names its line', async () => {
    const before = await state();
    const config = join(manager.config, 'config.toml');
    const text = readFileSync(config, 'utf8');
    const reload = async (pool: string) => {
      writeFileSync(config, `${text}[pool]\n${pool}\n`);
      await manager.systemctl('reload', SERVICE);
    };
    const program = ['imap-broker', 'config', '--json', '--url', 'unix:/run/imap-broker/admin.sock'];
    const limit = async () => {
      const { settings } = JSON.parse(await manager.inside('env', ...program));
      return settings.find(({ key }: { key: string }) => key === 'pool.connections');
    };
    await reload('connections = 77');
    const reloaded = { key: 'pool.connections', value: 77, source: 'file' };
    await expect.poll(limit).toEqual(reloaded);
    const line = `${text}[pool]\n`.split('\n').length;
    await reload('connections = 0');
    const told = `config.toml: line ${line}: pool.connections: must be from 1 to 100000`;
    await expect.poll(() => manager.log()).toContain(told);
    expect(await limit()).toEqual(reloaded);
    // The same process, which tells the manager that it is ready again.
    await expect.poll(state).toEqual({ ...before, SubState: 'running' });
    writeFileSync(config, text);
    await manager.systemctl('reload', SERVICE);
    await expect.poll(limit).toMatchObject({ source: 'default' });
  }, 40_000);

  it('replaces a broker whose event loop stands still, and refuses nobody meanwhile', async () => {
    const before = await state();
    await standStill(before.MainPID ?? '');
    const client = createClient({ url: `unix:${manager.path('/run/imap-broker.sock')}`, token: 'webmails-token' });
    const waiting = client.broker.ping();
    await expect.poll(state).toMatchObject({ SubState: 'running', NRestarts: '1' });
    expect((await state()).MainPID).not.toBe(before.MainPID);
    expect(await waiting).toMatchObject({ version });
    client.close();
  }, 40_000);

  it('stops it by draining, and starts it again with the sessions of before', async () => {
    const client = await connect();
    const session = await client.login(newUser());
    await manager.systemctl('stop', SERVICE);
    expect(await state()).toMatchObject({ ActiveState: 'inactive', Result: 'success' });
    expect(await manager.log()).toContain('"stopped"');
    const again = await connect();
    expect((await again.call('message.list', { session, mailbox: 'INBOX' })).messages).toEqual([]);
    await again.close();
  });

  it('is not ready with keys that are none, and says why', async () => {
    await manager.systemctl('stop', SERVICE, SOCKET);
    const config = join(manager.config, 'config.toml');
    const text = readFileSync(config, 'utf8');
    writeFileSync(config, text.replace('[session]', '[session]\nkey_file = "credential:session.keys"'));
    await expect(manager.systemctl('start', SERVICE)).rejects.toThrow('control process exited with error code');
    // The same file would end another start in the same way.
    expect(await state()).toMatchObject({ ActiveState: 'failed', SubState: 'failed', NRestarts: '0' });
    expect(await manager.log()).toMatch(/the key file \/run\/credentials\/\S+ has (no keys|a line that is no key)/);
    await manager.systemctl('stop', SERVICE);
    writeFileSync(config, text);
    await manager.systemctl('start', SOCKET);
  });

  it('runs another broker beside it from the template', async () => {
    configure('second.toml', 'second.tokens', '/var/lib/imap-broker-second', '/run/imap-broker-second/admin.sock');
    await manager.systemctl('start', 'imap-broker@second.socket', SERVICE);
    const client = await connect('/run/imap-broker-second.sock');
    await client.login(newUser());
    await client.close();
    for (const unit of [SERVICE, 'imap-broker@second.service']) {
      expect(await manager.show(unit, 'ActiveState')).toEqual({ ActiveState: 'active' });
    }
  });

  /** Makes the event loop of a process turn in a circle, by way of the debugger that Node opens for SIGUSR1. */
  async function standStill(pid: string): Promise<void> {
    // 0 is what systemd says of none, and to kill(1) those who run this test.
    if (!(Number(pid) > 1)) throw new Error('There is no broker to stop.');
    await manager.inside('kill', '-s', 'USR1', pid);
    const debuggers = async () => /Debugger listening on (ws:\S+)/.exec(await manager.log())?.[1];
    await expect.poll(debuggers).toBeDefined();
    const inspector = new WebSocket((await debuggers()) ?? '');
    await new Promise((resolve) => inspector.once('open', resolve));
    inspector.on('error', () => {});
    inspector.send(JSON.stringify({ id: 1, method: 'Runtime.evaluate', params: { expression: 'for (;;);' } }));
  }
});
