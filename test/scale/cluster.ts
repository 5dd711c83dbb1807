import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, vi } from 'vitest';
import { createClient } from '../../src/client/index.js';
import { defaultPoolLimits } from '../../src/pool/pool-limits.js';
import { KeyRing } from '../../src/session/key-ring.js';
import { hashToken } from '../../src/session/tenants.js';
import { builtProgram } from '../cli/built.js';
import { Program } from '../cli/program.js';
import { Dovecot } from '../support/dovecot.js';
import { freePorts } from '../support/ports.js';
import { type BrokerPorts, RunningProxy } from '../support/proxy.js';
import { RedisServer } from '../support/redis.js';
import { TOKEN } from '../support/running-broker.js';
import { startTappedRelay, type TappedRelay } from '../support/tapped-relay.js';

/** As docs/scale.md has them: fewer make uneven shares. */
export const SHARDS = 128;
/** What check-config tells operators: a user may be at two brokers for a moment. */
export const CONNECTIONS_OF_USER = 2 * defaultPoolLimits.connectionsPerAccount;

export interface ClusterOptions {
  /** How many of the three brokers run at first. */
  brokers?: number;
  /** `limits.socket_seconds` of the brokers; default as in the package. */
  socketSeconds?: number;
}

/** The built broker three times, each a process of its own, behind HAProxy, with a Redis in common and a Dovecot behind a tap. */
export class Cluster {
  readonly dovecot: Dovecot;
  readonly redis: RedisServer;
  readonly proxy: RunningProxy;
  readonly #relay: TappedRelay;
  /** Commands that the IMAP server was given. */
  readonly commands: Map<string, number>;
  readonly #ports: readonly BrokerPorts[];
  readonly #folder: string;
  readonly #programs: (Program | undefined)[] = [];

  private constructor(
    parts: Pick<Cluster, 'dovecot' | 'redis' | 'proxy' | 'commands'>,
    relay: TappedRelay,
    ports: readonly BrokerPorts[],
    folder: string,
  ) {
    this.dovecot = parts.dovecot;
    this.redis = parts.redis;
    this.proxy = parts.proxy;
    this.commands = parts.commands;
    this.#relay = relay;
    this.#ports = ports;
    this.#folder = folder;
  }

  static async start({ brokers = 3, socketSeconds }: ClusterOptions = {}): Promise<Cluster> {
    const folder = mkdtempSync(join(tmpdir(), 'imap-broker-cluster-'));
    const [dovecot, redis, [port = 0, ...rest]] = await Promise.all([
      Dovecot.start({ maxUserIpConnections: CONNECTIONS_OF_USER }),
      RedisServer.start(),
      freePorts(7),
    ]);
    const commands = new Map<string, number>();
    const relay = await startTappedRelay(dovecot.plainPort, (line) => {
      const [, command = ''] = line.split(' ');
      commands.set(command, (commands.get(command) ?? 0) + 1);
    });
    const ports = [0, 1, 2].map((index) => ({ port: rest[2 * index] ?? 0, monitorPort: rest[2 * index + 1] ?? 0 }));
    const proxy = await RunningProxy.start('HAProxy', port, ports);
    for (const [index, own] of ports.entries()) {
      mkdirSync(join(folder, `${index}`));
      const file = join(folder, `${index}`, 'config.toml');
      writeFileSync(file, configuration(own, relay.port, redis.url, join(folder, 'keys'), socketSeconds));
    }
    KeyRing.ofFile(join(folder, 'keys'), { create: true });
    const cluster = new Cluster({ dovecot, redis, proxy, commands }, relay, ports, folder);
    for (let index = 0; index < brokers; index += 1) await cluster.run(index);
    await cluster.inService();
    return cluster;
  }

  get url(): string {
    return `ws://127.0.0.1:${this.proxy.port}`;
  }

  /** Starts a broker; resolves when it listens. */
  async run(index: number): Promise<void> {
    const program = new Program(process.execPath, [builtProgram(), 'serve', '--config', 'config.toml'], {
      cwd: join(this.#folder, `${index}`),
    });
    this.#programs[index] = program;
    await program.printed(/"listening"/);
  }

  /** Resolves when the proxy brings sockets to each broker that runs, and to no other. */
  async inService(): Promise<void> {
    const running = this.#programs.filter((program) => program !== undefined).length;
    const reached = async () => expect(new Set(await this.#epochs()).size).toBe(running);
    await vi.waitFor(reached, { timeout: 20_000, interval: 100 });
  }

  signal(index: number, signal: NodeJS.Signals): void {
    this.#programs[index]?.child.kill(signal);
  }

  async kill(index: number, signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    await this.#programs[index]?.stop(signal);
    this.#programs[index] = undefined;
  }

  /** The users who have connections, of each broker that runs. */
  async users(): Promise<string[][]> {
    const running = this.#ports.filter((_, index) => this.#programs[index]);
    return Promise.all(
      running.map(async ({ port }) => {
        const client = createClient({ url: `ws://127.0.0.1:${port}`, token: TOKEN });
        const { accounts } = await client.account.list({ limit: 100 });
        client.close();
        return accounts.filter(({ idle, busy, watching }) => idle + busy + watching > 0).map(({ user }) => user);
      }),
    );
  }

  async stop(): Promise<void> {
    for (const program of this.#programs) await program?.stop('SIGKILL');
    await this.proxy.stop();
    await this.redis.stop();
    await this.#relay.close();
    await this.dovecot.stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** The brokers of some shards, by their epochs: enough that each broker has one of them. */
  #epochs(): Promise<string[]> {
    const shards = Array.from({ length: 32 }, (_, shard) => shard);
    return Promise.all(
      shards.map(async (shard) => {
        const client = createClient({ url: `${this.url}/?shard=${shard}`, token: TOKEN });
        const { epoch } = await client.broker.ping();
        client.close();
        return epoch;
      }),
    );
  }
}

function configuration(
  { port, monitorPort }: BrokerPorts,
  imapPort: number,
  redisUrl: string,
  keyFile: string,
  socketSeconds?: number,
): string {
  return `[[listener]]
host = "127.0.0.1"
port = ${port}
[[server]]
name = "dovecot"
host = "127.0.0.1"
port = ${imapPort}
tls = "none"
[[tenant]]
name = "webmail"
token_hashes = ["${hashToken(TOKEN)}"]
scopes = ["user", "admin"]
[session]
key_file = "${keyFile}"
[cluster]
brokers = 3
[shared]
url = "${redisUrl}"
[monitor]
port = ${monitorPort}
${socketSeconds === undefined ? '' : `[limits]\nsocket_seconds = ${socketSeconds}`}
`;
}
