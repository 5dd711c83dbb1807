import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { parse } from 'yaml';
import { createClient } from '../../src/client/index.js';
import { hashToken } from '../../src/session/tenants.js';
import { builtProgram, projectRoot } from '../cli/built.js';
import { Program } from '../cli/program.js';
import { freePorts } from '../support/ports.js';
import { type BrokerPorts, RunningProxy } from '../support/proxy.js';
import { TOKEN } from '../support/running-broker.js';
import { unpacked } from '../support/unpacked.js';

interface Service {
  environment?: { NUMBER?: string };
  command: string[];
  healthcheck: { test: string[] };
  network_mode: string;
  stop_grace_period?: string;
  volumes?: string[];
  configs?: Array<{ source: string; target: string }>;
}
interface Compose {
  services: Record<string, Service>;
  configs: Record<string, { content: string }>;
}

const text = readFileSync(join(projectRoot, 'scale/compose.yaml'), 'utf8');
/** What an operator writes into `.env`. */
const env: Record<string, string> = { IMAP_HOST: '127.0.0.1', VALKEY_PASSWORD: 'aPasswordForTests1' };
const { services, configs } = parse(text, { merge: true }) as Compose;
const brokers = Object.keys(services).filter((name) => name.startsWith('broker'));

/** A text with the variables that Compose would put in. */
function filledIn(value: string): string {
  return value
    .replaceAll('$$', '\0')
    .replace(/\$\{(\w+)(?::[-?][^}]*)?\}/g, (_, name: string) => env[name] ?? '')
    .replaceAll('\0', '$');
}

/** The folders of a container, in a folder of the test; and its programs. */
let folder: string;
let ports: BrokerPorts[];
let running: Program[] = [];
beforeAll(async () => {
  const program = builtProgram();
  folder = mkdtempSync(join(tmpdir(), 'imap-broker-compose-'));
  for (const name of ['bin', 'state', 'run', 'secrets']) mkdirSync(join(folder, name));
  symlinkSync(program, join(folder, 'bin/imap-broker'));
  symlinkSync(process.execPath, join(folder, 'bin/node'));
  writeFileSync(join(folder, 'secrets/tokens'), `${hashToken(TOKEN)}\n`);
  const free = await freePorts(2 * brokers.length);
  ports = brokers.map((_, index) => ({ port: free[2 * index] ?? 0, monitorPort: free[2 * index + 1] ?? 0 }));
}, 120_000);
afterAll(async () => {
  await Promise.all(running.map((one) => one.stop('SIGKILL')));
  running = [];
  rmSync(folder, { recursive: true, force: true });
});

/** A command or a file of a container, for the folders and ports of the test. */
function fitting(value: string, number: number): string {
  const { port, monitorPort } = ports[number - 1] ?? {};
  return filledIn(value)
    .replaceAll('7NUMBER43', `${port}`)
    .replaceAll(/7(?:NUMBER|\$\{process\.env\.NUMBER\})44/g, `${monitorPort}`)
    .replaceAll('/etc/imap-broker/broker.toml', join(folder, `${number}.template`))
    .replaceAll('/tmp/config.toml', join(folder, `${number}.toml`))
    .replaceAll('/run/secrets', join(folder, 'secrets'))
    .replaceAll('/run/imap-broker', join(folder, 'run'))
    .replaceAll('/var/lib/imap-broker', join(folder, 'state'));
}

/** How the command of a service is run. */
function commandOf(name: string): { program: string; args: string[]; env: Record<string, string> } {
  const { command, environment: { NUMBER = '0' } = {} } = services[name] as Service;
  const [program = '', ...args] = command.map((part) => fitting(part, Number(NUMBER)));
  return { program, args, env: { PATH: `${join(folder, 'bin')}:/usr/bin:/bin`, NUMBER } };
}

/** The exit code of a broker's health check. */
function health(name: string): number | null {
  const { healthcheck, environment: { NUMBER = '0' } = {} } = services[name] as Service;
  const [kind, program = '', ...args] = healthcheck.test;
  expect(kind).toBe('CMD');
  return spawnSync(
    program,
    args.map((part) => fitting(part, Number(NUMBER))),
    { env: { PATH: join(folder, 'bin'), NUMBER } },
  ).status;
}

describe('the Compose file', () => {
  it('has no password and no key, and says that it was not run', () => {
    expect(text).toContain('NOT RUN BY US');
    expect(text.match(/requirepass .*|redis:.*/g)).toEqual([
      expect.stringMatching(/^redis:\/\/:\$\{VALKEY_PASSWORD:\?[^}]*\}@/),
      expect.stringMatching(/^requirepass \$\{VALKEY_PASSWORD:\?[^}]*\}$/),
    ]);
    expect(text).not.toMatch(/\b[0-9a-f]{64}\b/);
  });

  it('gives brokers the time that a drain and the closing after it may take', () => {
    const unit = readFileSync(join(projectRoot, 'systemd/imap-broker@.service'), 'utf8');
    const [, seconds = ''] = /^TimeoutStopSec=(\d+)$/m.exec(unit) ?? [];
    for (const name of brokers) expect(services[name]?.stop_grace_period, name).toBe(`${seconds}s`);
  });

  it('makes keys once, with which its brokers start and are healthy behind HAProxy', async () => {
    const { program, args, env: environment } = commandOf('keys');
    const keys = () => readFileSync(join(folder, 'state/session.keys'), 'utf8');
    expect(spawnSync(program, args, { env: environment }).status).toBe(0);
    const first = keys();
    expect(spawnSync(program, args, { env: environment }).status).toBe(0);
    expect(keys()).toBe(first);

    expect(services.haproxy?.volumes).toEqual(['./haproxy.cfg:/usr/local/etc/haproxy/haproxy.cfg:ro']);
    const [own = 0] = await freePorts(1);
    const proxy = await RunningProxy.start('HAProxy', own, ports);
    onTestFinished(() => proxy.stop());
    for (const [index, name] of brokers.entries()) {
      expect(health(name)).toBe(1);
      writeFileSync(join(folder, `${index + 1}.template`), fitting(configs.broker?.content ?? '', index + 1));
      const command = commandOf(name);
      const broker = new Program(command.program, command.args, { env: command.env });
      running.push(broker);
      await broker.printed(/"listening"/);
      expect(health(name)).toBe(0);
      const check = new Program(
        process.execPath,
        [builtProgram(), 'check-config', join(folder, `${index + 1}.toml`)],
        {},
      );
      expect(await check.ended()).toBe(0);
      expect(check.out).toContain(`one of ${brokers.length} brokers`);
    }
    const names = async () => {
      const epochs = new Set<string>();
      for (let shard = 0; shard < 32; shard += 1) {
        const client = createClient({ url: `ws://127.0.0.1:${own}/?shard=${shard}`, token: TOKEN });
        epochs.add((await client.broker.ping()).epoch);
        client.close();
      }
      return epochs.size;
    };
    await expect.poll(names, { timeout: 15_000 }).toBe(brokers.length);
  }, 120_000);

  it('has a configuration of Valkey that Redis takes as well, and that lets no client in without the password', async () => {
    const [port = 0] = await freePorts(1);
    const file = join(folder, 'valkey.conf');
    writeFileSync(file, filledIn(configs.valkey?.content ?? '').replace('port 6379', `port ${port}`));
    chmodSync(file, 0o600);
    const { program, env: environment } = unpacked('redis-server', 'usr/bin/redis-server');
    const redis = spawn(program, [file, '--dir', folder], { env: environment });
    onTestFinished(async () => {
      redis.kill('SIGKILL');
      await once(redis, 'exit');
    });
    for await (const line of redis.stdout) if (`${line}`.includes('Ready to accept connections')) break;
    const url = (password: string) => `redis://${password}127.0.0.1:${port}`;
    const answer = async (address: string) => {
      const { createClient: redisClient } = await import('@redis/client');
      const client = redisClient({ url: address, socket: { reconnectStrategy: false } });
      client.on('error', () => {});
      try {
        await client.connect();
        return await client.ping();
      } catch (error) {
        return (error as Error).message;
      } finally {
        if (client.isOpen) client.destroy();
      }
    };
    expect(await answer(url(`:${env.VALKEY_PASSWORD}@`))).toBe('PONG');
    expect(await answer(url(''))).toContain('NOAUTH');
  }, 30_000);
});
