import { copyFileSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { hashToken } from '../../src/session/tenants.js';
import { builtProgram, projectRoot } from '../cli/built.js';
import { Dovecot, newUser } from '../support/dovecot.js';
import { describeManaged, SystemdManager } from '../support/manager/systemd-manager.js';
import { RawClient } from '../support/running-broker.js';

const operations = readFileSync(join(projectRoot, 'docs/operations.md'), 'utf8');
const example = readFileSync(join(projectRoot, 'systemd/config.toml'), 'utf8');
const SERVICES = ['imap-broker.service', 'imap-broker@second.service'];
const SOCKETS = ['/run/imap-broker.sock', '/run/imap-broker-second.sock'];

/** A command of docs/operations.md, as it is there. */
function documented(containing: string): string {
  const fenced = [...operations.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].flatMap(([, block = '']) => block.split('\n'));
  const quoted = [...operations.matchAll(/`([^`\n]+)`/g)].map(([, text = '']) => text);
  const found = [...fenced, ...quoted].find((line) => line.includes(containing));
  if (found === undefined) throw new Error(`docs/operations.md has no ${containing}`);
  return found;
}

describeManaged('brokers that are given the same keys, as docs/operations.md says', () => {
  let dovecot: Dovecot;
  let manager: SystemdManager;
  beforeAll(async () => {
    builtProgram();
    dovecot = await Dovecot.start();
    manager = await SystemdManager.start({ 'imap-broker.service': '', 'imap-broker@.service': '' });
    copyFileSync(dovecot.caPath, join(manager.config, 'ca.pem'));
    configure('');
    await manager.systemctl('start', ...SERVICES);
  }, 120_000);
  afterAll(async () => {
    await manager?.stop();
    await dovecot?.stop();
  });

  /** As systemd/config.toml has it, but for the IMAP server and more lines under `[session]`. */
  function configure(session: string): void {
    const server = `name = "dovecot"\nhost = "127.0.0.1"\nservername = "localhost"\nport = ${dovecot.tlsPort}\nca_file = "ca.pem"`;
    const text = example.replace('name = "main"\nhost = "imap.example.com"', server);
    const second = text
      .replaceAll('/imap-broker"', '/imap-broker-second"')
      .replaceAll('/imap-broker/', '/imap-broker-second/');
    for (const [name, own] of Object.entries({ config: text, second })) {
      writeFileSync(join(manager.config, `${name}.toml`), own.replace('[session]\n', `[session]\n${session}`));
    }
    for (const name of ['tokens', 'second.tokens'])
      writeFileSync(join(manager.config, name), `${hashToken('webmails-token')}\n`, { mode: 0o600 });
  }

  /** Whether a session is good at each broker. */
  async function goodAt(session: string): Promise<string[]> {
    const answers: string[] = [];
    for (const socket of SOCKETS) {
      const client = await RawClient.open(`ws+unix:${manager.path(socket)}`, 'webmails-token');
      const outcome = await client.call('mailbox.list', { session }).then(
        () => 'ok',
        (error) => error.data.kind,
      );
      answers.push(outcome);
      await client.close();
    }
    return answers;
  }

  async function login(): Promise<string> {
    const client = await RawClient.open(`ws+unix:${manager.path(SOCKETS[0] ?? '')}`, 'webmails-token');
    const session = await client.login(newUser());
    await client.close();
    return session;
  }

  const shareKeys = () =>
    copyFileSync(join(manager.config, 'session.keys'), join(manager.config, 'second.session.keys'));

  it('open the sessions of each other, those from before as well, and go on after a rotation', async () => {
    const before = await login();
    expect(await goodAt(before)).toEqual(['ok', 'SESSION_EXPIRED']);

    await manager.inside('sh', '-c', documented('install -m 600 /var/lib/private'));
    expect(statSync(join(manager.config, 'session.keys')).mode & 0o777).toBe(0o600);
    shareKeys();
    configure(`${documented('key_file = "credential:')}\n`);
    const check = 'CREDENTIALS_DIRECTORY=/etc/imap-broker imap-broker check-config /etc/imap-broker/config.toml';
    expect(await manager.inside('sh', '-c', check)).toContain('OK');
    await manager.systemctl('restart', ...SERVICES);
    expect(await goodAt(before)).toEqual(['ok', 'ok']);

    const rotated = await manager.inside('sh', '-c', documented('imap-broker keys rotate --config'));
    expect(rotated).toContain('2 keys open tokens');
    shareKeys();
    await manager.systemctl('restart', ...SERVICES);
    expect(await goodAt(before)).toEqual(['ok', 'ok']);
    expect(await goodAt(await login())).toEqual(['ok', 'ok']);
  }, 60_000);
});
