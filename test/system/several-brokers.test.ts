import { appendFileSync, copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Client, createClient } from '../../src/client/index.js';
import { hashToken } from '../../src/session/tenants.js';
import { builtProgram, projectRoot } from '../cli/built.js';
import { Dovecot, newUser, PASSWORD } from '../support/dovecot.js';
import { describeManaged, SystemdManager } from '../support/manager/systemd-manager.js';
import { freePorts } from '../support/ports.js';
import { type BrokerPorts, RunningProxy } from '../support/proxy.js';
import { RedisServer } from '../support/redis.js';

const BROKERS = [1, 2, 3];
const USERS = 12;
const scale = readFileSync(join(projectRoot, 'docs/scale.md'), 'utf8');

const scripts = [...scale.matchAll(/^ *```sh\n([\s\S]*?)^ *```$/gm)].map(([, script = '']) => script);

/** A script of docs/scale.md, as it is there but for where the package is. */
function documented(containing: string): string {
  const [found, ...others] = scripts.filter((script) => script.includes(containing));
  if (found === undefined || others.length > 0) throw new Error(`docs/scale.md has not one script with ${containing}`);
  return found.replace('$(npm root --global)/imap-broker', '/opt/imap-broker');
}

describeManaged('three brokers on one host, set up as docs/scale.md says', () => {
  let dovecot: Dovecot;
  let redis: RedisServer;
  let proxy: RunningProxy;
  let manager: SystemdManager;
  let client: Client;
  let ports: BrokerPorts[];
  beforeAll(async () => {
    builtProgram();
    const free = await freePorts(7);
    [dovecot, redis] = await Promise.all([Dovecot.start(), RedisServer.start()]);
    ports = BROKERS.map((_, index) => ({ port: free[2 * index] ?? 0, monitorPort: free[2 * index + 1] ?? 0 }));
    proxy = await RunningProxy.start('HAProxy', free[6] ?? 0, ports);
    manager = await SystemdManager.start({ 'imap-broker@.service': '' });
    client = createClient({ url: `ws://127.0.0.1:${proxy.port}`, token: 'webmails-token', shards: 32 });
  }, 120_000);
  afterAll(async () => {
    client?.close();
    await manager?.stop();
    await proxy?.stop();
    await redis?.stop();
    await dovecot?.stop();
  });

  const inside = (script: string) => manager.inside('sh', '-euc', script);
  const file = (name: string) => join(manager.config, name);

  /** What differs here from a host: free ports, and the servers of the test. */
  function fitHere(): void {
    copyFileSync(dovecot.caPath, file('ca.pem'));
    const server = `name = "dovecot"\nhost = "127.0.0.1"\nservername = "localhost"\nport = ${dovecot.tlsPort}\nca_file = "ca.pem"`;
    for (const [index, number] of BROKERS.entries()) {
      const { port = 0, monitorPort = 0 } = ports[index] ?? {};
      const text = readFileSync(file(`${number}.toml`), 'utf8');
      const fitting = text
        .replace(`port = 7${number}43`, `port = ${port}`)
        .replace(`port = 7${number}44`, `port = ${monitorPort}`)
        .replace('name = "main"\nhost = "imap.example.com"', server)
        .replace('redis://127.0.0.1:6379', redis.url);
      expect(fitting.match(new RegExp(`${port}|${monitorPort}`, 'g'))).toHaveLength(2);
      writeFileSync(file(`${number}.toml`), fitting);
    }
  }

  it('have their files from one example, start with shared keys, and show themselves by their names', async () => {
    await inside(documented('ln -s tokens'));
    await inside(documented('randomBytes'));
    writeFileSync(file('tokens'), '', { mode: 0o600 });
    appendFileSync(file('tokens'), `${hashToken('webmails-token')}\n`);
    fitHere();
    expect(await inside(documented('check-config'))).toMatch(/1\.toml: OK[\s\S]*one of 3 brokers/);
    await inside(documented('systemctl enable'));
    const status = await inside(documented('status --all unix:/run/imap-broker-1'));
    for (const number of BROKERS) expect(status).toContain(`broker-${number}  running`);
    expect(status.match(/^shared\s+reachable$/gm)).toHaveLength(BROKERS.length);
  }, 120_000);

  it('lose no request in a rolling update, and have each user at one broker afterwards', async () => {
    const users = Array.from({ length: USERS }, () => newUser('rolling'));
    const opened = await Promise.all(
      users.map((user) => client.session.open({ server: 'dovecot', user, auth: { password: PASSWORD } })),
    );
    const failures: unknown[] = [];
    let stopped = false;
    let clicks = 0;
    const load = opened.map(async ({ session }) => {
      while (!stopped) {
        await client.message.list({ session, mailbox: 'INBOX' }).catch((error: unknown) => failures.push(error));
        clicks += 1;
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    });
    const pids = async () =>
      Promise.all(
        BROKERS.map(async (number) => (await manager.show(`imap-broker@${number}.service`, 'MainPID')).MainPID),
      );
    const before = await pids();
    const monitors = ports.map(({ monitorPort }) => `${monitorPort}`).join(' ');
    const update = documented('systemctl restart imap-broker@').replace(
      /7\$\{number\}44/,
      '$(echo $monitors | cut -d " " -f $number)',
    );
    await inside(`monitors="${monitors}"\n${update}`);
    for (const pid of await pids()) expect(before).not.toContain(pid);
    stopped = true;
    await Promise.all(load);
    expect(failures).toEqual([]);
    expect(clicks).toBeGreaterThan(USERS);
    for (const user of users.slice(0, 3)) {
      const shown = await inside(documented('imap-broker accounts').replace('anna@example.org', user));
      expect(shown.match(new RegExp(`dovecot +${user} `, 'g')), shown).toHaveLength(1);
    }
  }, 120_000);
});
