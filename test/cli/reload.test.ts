import { readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { Broker } from '../../src/broker/broker.js';
import { RunningConfig } from '../../src/cli/running-config.js';
import { createClient } from '../../src/client/index.js';
import { loadConfig } from '../../src/config/load.js';
import { KeyRing, rotateKeys } from '../../src/session/key-ring.js';
import { hashToken } from '../../src/session/tenants.js';
import { certificates, clientCertificate } from '../support/certificates.js';
import { Dovecot, newUser, PASSWORD } from '../support/dovecot.js';
import { startRelay } from '../support/relay.js';
import { RawClient, TOKEN } from '../support/running-broker.js';
import { page } from '../support/scrape.js';
import { builtProgram } from './built.js';
import { Program } from './program.js';
import { runMain } from './run-main.js';

let dovecot: Dovecot;
let program: string;
beforeAll(async () => {
  dovecot = await Dovecot.start();
  program = builtProgram();
}, 120_000);
afterAll(() => dovecot.stop());

let folder: string;
let file: string;
let broker: Broker;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'imap-broker-reload-'));
  file = join(folder, 'config.toml');
});
afterEach(async () => {
  await broker?.stop();
  await rm(folder, { recursive: true });
});

interface Parts {
  listener?: string;
  port?: number;
  server?: string;
  tenant?: string;
  rest?: string;
}

const tenant = (name: string, token: string, rest = '') =>
  `[[tenant]]\nname = "${name}"\ntoken_hashes = ["${hashToken(token)}"]\n${rest}`;
const imap = (name: string, port: number, rest = '') =>
  `[[server]]\nname = "${name}"\nhost = "127.0.0.1"\nport = ${port}\ntls = "none"\n${rest}`;

function write({ listener, server, tenant: tenants, rest = '' }: Parts = {}): void {
  const parts = [
    '[admin]\nsocket = "admin.sock"',
    `[[listener]]\n${listener ?? 'host = "127.0.0.1"\nport = 0'}`,
    server ?? imap('dovecot', dovecot.plainPort),
    tenants ?? tenant('webmail', TOKEN),
    rest,
  ];
  writeFileSync(file, parts.join('\n'));
}

async function start(): Promise<string> {
  const config = loadConfig(file);
  const running = new RunningConfig(file, config, 'silent');
  const log = pino({ level: 'silent' });
  broker = await Broker.start({ ...config.broker, log, readAgain: () => running.readAgain() });
  return broker.urls[0] ?? '';
}

function reload(...args: string[]) {
  return runMain('reload', '--url', `unix:${join(folder, 'admin.sock')}`, ...args);
}

describe('imap-broker reload', () => {
  it('changes limits under load without a request that is dropped; a bad file changes nothing and says which line', async () => {
    write();
    const url = await start();
    const client = createClient({ url, token: TOKEN });
    const users = Array.from({ length: 10 }, () => newUser('load'));
    const sessions = await Promise.all(
      users.map((user) => client.session.open({ server: 'dovecot', user, auth: { password: PASSWORD } })),
    );
    let loading = true;
    let answered = 0;
    const load = sessions.map(async ({ session }) => {
      while (loading) {
        await Promise.all([
          client.mailbox.list({ session }),
          client.message.list({ session, mailbox: 'INBOX' }),
          client.mailbox.status({ session, mailboxes: ['INBOX'] }),
        ]);
        answered += 3;
      }
    });
    const more = async () => {
      const before = answered;
      while (answered < before + 60) await new Promise((resolve) => setImmediate(resolve));
    };
    for (const [round, most] of [1, 3, 2, 8].entries()) {
      await more();
      write({
        rest: `[pool]\nconnections_per_account = ${most}\nconnections = ${10 + round}\nidle_seconds = ${100 + round}\n[cache]\nbytes = ${(round + 2) * 1048576}\n`,
      });
      const { code, out } = await reload();
      expect([code, out]).toEqual([0, expect.stringContaining('changed: pool.connections_per_account\n')]);
      expect(broker.registry.limits.now).toMatchObject({ connectionsPerAccount: most, connections: 10 + round });
      expect(broker.views.limits.now.bytes).toBe((round + 2) * 1048576);
    }
    await more();
    write({ rest: '[pool]\nconnections_per_account = 0\nconections = 5\n' });
    expect(await reload()).toEqual({
      code: 2,
      out: '',
      err: `imap-broker: INVALID_CONFIG: Nothing was changed.\n${file}: line 17: pool.connections_per_account: must be from 1 to 100, but is 0\n${file}: line 18: pool.conections: unknown key; did you mean connections?\n`,
    });
    expect(broker.registry.limits.now).toMatchObject({ connectionsPerAccount: 8, connections: 13 });
    await more();
    loading = false;
    await Promise.all(load);
    client.close();
  }, 60_000);

  it('says so when nothing is different, and names what needs a restart each time until then', async () => {
    write();
    await start();
    expect((await reload()).out).toBe('nothing is different\n');
    write({ rest: '[session]\nstate_dir = "."\nttl_seconds = 5\n' });
    expect((await reload()).out).toBe('changed: session.ttl_seconds\nneeds a restart: session.state_dir\n');
    expect(JSON.parse((await reload('--json')).out)).toEqual({ changed: [], restart: ['session.state_dir'] });
    write({ listener: 'unix = "other.sock"' });
    expect((await reload()).out).toContain(
      'needs a restart: listener.127.0.0.1:0\nneeds a restart: listener.other.sock\n',
    );
  });

  it('is seen in config: the new value and that it is from the file; a bad file is not', async () => {
    write();
    await start();
    const idle = async () => {
      const { out } = await runMain('config', '--json', '--url', `unix:${join(folder, 'admin.sock')}`);
      return JSON.parse(out).settings.find(({ key }: { key: string }) => key === 'pool.idle_seconds');
    };
    expect(await idle()).toMatchObject({ source: 'default' });
    write({ rest: '[pool]\nidle_seconds = 77\n' });
    await reload();
    const changed = { key: 'pool.idle_seconds', value: 77, source: 'file' };
    expect(await idle()).toEqual(changed);
    write({ rest: '[pool]\nidle_seconds = -1\n' });
    expect((await reload()).code).toBe(2);
    expect(await idle()).toEqual(changed);
    write();
    await reload();
    expect(await idle()).toMatchObject({ source: 'default' });
  });

  it('and what log-level has set, until a reload', async () => {
    write({ rest: '[log]\nlevel = "silent"\n' });
    await start();
    const admin = ['--url', `unix:${join(folder, 'admin.sock')}`];
    const shown = async () => {
      const { settings } = JSON.parse((await runMain('config', '--json', ...admin)).out);
      return settings.find(({ key }: { key: string }) => key === 'log.level');
    };
    expect(await shown()).toMatchObject({ value: 'silent', source: 'file' });
    await runMain('log-level', 'fatal', ...admin);
    expect(await shown()).toMatchObject({ value: 'fatal', source: 'operator' });
    await reload();
    expect(await shown()).toMatchObject({ value: 'silent', source: 'file' });
  });

  it('holds for whom the monitor takes for its own', async () => {
    write({ rest: '[monitor]\nport = 0\n' });
    await start();
    const asked = async () => (await page(broker.monitorUrl, '/healthz', { host: 'status.example.com' })).status;
    expect(await asked()).toBe(403);
    writeFileSync(file, `allowed_hosts = ["status.example.com"]\n${readFileSync(file, 'utf8')}`);
    await reload();
    expect(await asked()).toBe(200);
  });

  it('refuses where there is no file', async () => {
    write();
    const config = loadConfig(file);
    broker = await Broker.start({ ...config.broker, log: pino({ level: 'silent' }) });
    expect(await reload()).toMatchObject({ code: 2, err: expect.stringContaining('INVALID_CONFIG') });
  });

  it('tells the line of a file that an entry names and that is not there', async () => {
    write();
    await start();
    write({ server: imap('dovecot', 143, 'ca_file = "no.pem"').replace('"none"', '"starttls"') });
    expect((await reload()).err).toContain('line 11: server[0].ca_file: cannot read');
  });
});

describe('after a reload', () => {
  it('a server that is elsewhere has new connections there, the others once their work is done', async () => {
    write();
    const client = await RawClient.open(await start());
    const session = await client.login(newUser('moved'));
    const relay = await startRelay(dovecot.plainPort);
    write({ server: imap('dovecot', relay.port) });
    expect((await reload()).out).toBe('changed: server.dovecot.port\n');
    await client.call('mailbox.list', { session });
    expect(relay.accepted).toBe(1);
    await client.close();
    await relay.close();
  });

  it('a server that is elsewhere tells its own capabilities', async () => {
    write();
    const client = await RawClient.open(await start());
    const session = await client.login(newUser('moved'));
    expect((await client.call('session.info', { session })).capabilities.sort).toBe(true);
    const other = await Dovecot.start({ imapCapability: 'IMAP4rev1 SASL-IR ID NAMESPACE UIDPLUS' });
    onTestFinished(() => other.stop());
    write({ server: imap('dovecot', other.plainPort) });
    await reload();
    expect((await client.call('session.info', { session })).capabilities.sort).toBe(false);
    await client.close();
  });

  it('sessions on a server that is gone are refused clearly, and new ones; when it is back they go on', async () => {
    write();
    const client = await RawClient.open(await start());
    const session = await client.login(newUser('stranded'));
    write({ server: imap('other', dovecot.plainPort) });
    expect((await reload()).out).toBe('changed: server.dovecot\nchanged: server.other\n');
    const message = 'session: its IMAP server is not configured any more.';
    await expect(client.call('mailbox.list', { session })).rejects.toMatchObject({
      message,
      data: { kind: 'SESSION_EXPIRED', executed: 'no' },
    });
    await expect(client.login('x')).rejects.toMatchObject({ data: { kind: 'SERVER_NOT_ALLOWED' } });
    write();
    await reload();
    expect(await client.call('mailbox.list', { session })).toMatchObject({ mailboxes: expect.any(Array) });
    await client.close();
  });

  it('a server that its tenant may not use any more is refused clearly', async () => {
    const servers = imap('dovecot', dovecot.plainPort) + imap('other', 1);
    write({ server: servers });
    const client = await RawClient.open(await start());
    const session = await client.login(newUser('barred'));
    write({ server: servers, tenant: tenant('webmail', TOKEN, 'servers = ["other"]') });
    expect((await reload()).out).toBe('changed: tenant.webmail.servers\n');
    await expect(client.call('mailbox.list', { session })).rejects.toMatchObject({
      data: { kind: 'SERVER_NOT_ALLOWED' },
    });
    await client.close();
  });

  it('a tenant that is gone loses its sockets, its token is refused; a new token is taken', async () => {
    write({ tenant: tenant('webmail', TOKEN) + tenant('gone', 'token-of-gone') });
    const url = await start();
    const [staying, leaving] = [await RawClient.open(url), await RawClient.open(url, 'token-of-gone')];
    const session = await leaving.login(newUser('leaving'));
    const closed = new Promise((resolve) => leaving.ws.once('close', resolve));
    write({ tenant: tenant('webmail', 'another-token') });
    expect((await reload()).out).toBe('changed: tenant.gone\nchanged: tenant.webmail.token_hashes\n');
    expect(await closed).toBe(1001);
    await expect(RawClient.open(url, 'token-of-gone')).rejects.toThrow('401');
    await expect(RawClient.open(url, TOKEN)).rejects.toThrow('401');
    const renewed = await RawClient.open(url, 'another-token');
    await expect(renewed.call('session.info', { session })).rejects.toMatchObject({
      data: { kind: 'SESSION_EXPIRED' },
    });
    expect(await staying.call('broker.ping', {})).toBeDefined();
    await Promise.all([staying.close(), renewed.close()]);
  });

  it('quotas of a tenant hold for sockets that it has', async () => {
    write();
    const client = await RawClient.open(await start());
    write({ tenant: tenant('webmail', TOKEN, 'requests_per_second = 1') });
    await reload();
    const answers = await Promise.allSettled([1, 2, 3].map(() => client.call('broker.ping', {})));
    expect(answers.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected']);
    await client.close();
  });

  it.each(['listener', 'monitor'])('a %s shows its new certificate, and so does config', async (what) => {
    const [first, second] = [certificates(), clientCertificate('another', { selfSigned: true })];
    const show = (name: string, pair: { cert: string; key: string }) => {
      writeFileSync(join(folder, `${name}.pem`), pair.cert);
      writeFileSync(join(folder, `${name}.key`), pair.key);
    };
    show('one', first);
    show('two', first);
    const place = (name: string) =>
      `host = "127.0.0.1"\nport = 0\ntls_cert_file = "${name}.pem"\ntls_key_file = "${name}.key"\n`;
    const use = (name: string) =>
      what === 'listener' ? write({ listener: place(name) }) : write({ rest: `[monitor]\n${place(name)}` });
    use('one');
    const url = await start();
    const port = Number(new URL(what === 'listener' ? url : (broker.monitorUrl ?? '')).port);
    const shown = () =>
      new Promise<string>((resolve) => {
        const socket = connectTls({ host: '127.0.0.1', port, rejectUnauthorized: false }, () => {
          resolve(socket.getPeerCertificate().fingerprint256);
          socket.destroy();
        });
      });
    const configured = async () => {
      const { out } = await runMain('config', '--json', '--url', `unix:${join(folder, 'admin.sock')}`);
      const { settings } = JSON.parse(out) as { settings: { key: string; value: unknown }[] };
      return settings.filter(({ key }) => key.endsWith('.tls_cert_file')).map(({ value }) => value);
    };
    const before = await shown();
    expect(await configured()).toEqual(['one.pem']);
    show('one', second);
    const changed = (key: string) => new RegExp(`^changed: ${what}\\S*\\.tls_${key}_file$`, 'm');
    const { out } = await reload();
    expect(out).toMatch(changed('cert'));
    expect(out).toMatch(changed('key'));
    expect(out).not.toContain('restart');
    const renewed = await shown();
    expect(renewed).not.toBe(before);
    // Other files do as well.
    use('two');
    expect((await reload()).out).toMatch(changed('cert'));
    expect(await shown()).toBe(before);
    expect(await configured()).toEqual(['two.pem']);
    expect((await reload()).out).toBe('nothing is different\n');
  });

  it('a monitor that is to be elsewhere with another certificate needs a restart for both', async () => {
    writeFileSync(join(folder, 'one.pem'), certificates().cert);
    writeFileSync(join(folder, 'one.key'), certificates().key);
    const tls = 'tls_cert_file = "one.pem"\ntls_key_file = "one.key"\n';
    write({ rest: `[monitor]\nport = 0\n${tls}` });
    await start();
    const other = clientCertificate('another', { selfSigned: true });
    writeFileSync(join(folder, 'one.pem'), other.cert);
    writeFileSync(join(folder, 'one.key'), other.key);
    write({ rest: `[monitor]\nport = 1\n${tls}` });
    expect((await reload()).out).toBe(
      'needs a restart: monitor.port\nneeds a restart: monitor.tls_cert_file\nneeds a restart: monitor.tls_key_file\n',
    );
  });

  it('keys that were rotated in a key file need no restart', async () => {
    const keys = join(folder, 'own.keys');
    KeyRing.ofFile(keys, { create: true });
    write({ rest: '[session]\nkey_file = "own.keys"\n' });
    await start();
    rotateKeys(keys);
    expect((await reload()).out).toBe('nothing is different\n');
  });
});

it('SIGHUP reloads: what changed is in the log, and for a bad file what is wrong', async () => {
  write();
  const running = new Program(process.execPath, [program, 'serve', '--config', file]);
  onTestFinished(() => void running.child.kill('SIGKILL'));
  await running.printed(/listening/);
  write({ rest: '[pool]\nconnections = 7\n' });
  running.child.kill('SIGHUP');
  await running.printed(/"changed":\["pool.connections"\],"restart":\[\],"msg":"reloaded"/);
  write({ rest: '[pool]\nconnections = "7"\n' });
  running.child.kill('SIGHUP');
  await running.printed(/"level":"error",.*line 17: pool.connections: .*"msg":"not reloaded"/);
  expect(await running.stop()).toBe(0);
});
