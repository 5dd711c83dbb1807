import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KeyRing } from '../../src/session/key-ring.js';
import { hashToken } from '../../src/session/tenants.js';
import { builtProgram } from '../cli/built.js';
import { Program } from '../cli/program.js';
import { Dovecot } from '../support/dovecot.js';
import { freePorts } from '../support/ports.js';
import { RunningProxy } from '../support/proxy.js';
import { RedisServer } from '../support/redis.js';
import { TOKEN } from '../support/running-broker.js';

/** The built broker three times, each a process of its own, behind HAProxy and with a Redis in common. */
export class Cluster {
  readonly dovecot: Dovecot;
  readonly redis: RedisServer;
  readonly proxy: RunningProxy;
  readonly #folder: string;
  readonly #programs: (Program | undefined)[] = [];

  private constructor(dovecot: Dovecot, redis: RedisServer, proxy: RunningProxy, folder: string) {
    this.dovecot = dovecot;
    this.redis = redis;
    this.proxy = proxy;
    this.#folder = folder;
  }

  static async start(): Promise<Cluster> {
    const folder = mkdtempSync(join(tmpdir(), 'imap-broker-cluster-'));
    const [dovecot, redis, [port = 0, ...rest]] = await Promise.all([
      Dovecot.start(),
      RedisServer.start(),
      freePorts(7),
    ]);
    const brokers = [0, 1, 2].map((index) => ({ port: rest[2 * index] ?? 0, monitorPort: rest[2 * index + 1] ?? 0 }));
    const proxy = await RunningProxy.start('HAProxy', port, brokers);
    for (const [index, ports] of brokers.entries()) {
      mkdirSync(join(folder, `${index}`));
      const file = join(folder, `${index}`, 'config.toml');
      writeFileSync(file, configuration(ports, dovecot.plainPort, redis.url, join(folder, 'keys')));
    }
    KeyRing.ofFile(join(folder, 'keys'), { create: true });
    return new Cluster(dovecot, redis, proxy, folder);
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

  signal(index: number, signal: NodeJS.Signals): void {
    this.#programs[index]?.child.kill(signal);
  }

  async kill(index: number): Promise<void> {
    await this.#programs[index]?.stop('SIGKILL');
  }

  async stop(): Promise<void> {
    for (const program of this.#programs) await program?.stop('SIGKILL');
    await this.proxy.stop();
    await this.redis.stop();
    await this.dovecot.stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

function configuration(
  { port, monitorPort }: { port: number; monitorPort: number },
  imapPort: number,
  redisUrl: string,
  keyFile: string,
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
`;
}
