import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { unpacked } from './unpacked.js';

/** Where a broker listens, and its monitor. */
export interface BrokerPorts {
  port: number;
  monitorPort: number;
}

/** How a proxy is run: its package, its program, the package's file for it in `scale/`, and its arguments. */
const kinds = {
  HAProxy: { pack: 'haproxy', program: 'usr/sbin/haproxy', file: 'haproxy.cfg', args: (file: string) => ['-f', file] },
  nginx: {
    pack: 'nginx',
    program: 'usr/sbin/nginx',
    file: 'nginx.conf',
    // In one process, which a test can kill; its files stay in the folder of the test.
    args: (file: string) => ['-c', file, '-p', dirname(file), '-e', 'stderr', '-g', NGINX],
  },
};
export type ProxyKind = keyof typeof kinds;
const NGINX = 'daemon off; master_process off; pid nginx.pid;';
/** Folders that Debian's nginx would make below /var. */
const NGINX_FOLDERS = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
  .map((each) => `${each}_temp_path ${each};`)
  .join(' ');

/** A real proxy with the configuration that the package has, but for the ports. */
export class RunningProxy {
  readonly port: number;
  readonly #kind: ProxyKind;
  #process: ChildProcess;
  /** Processes of before a reload, which keep the sockets that they have. */
  readonly #former: ChildProcess[] = [];
  readonly #folder: string;
  /** The end of what it wrote to its standard error. */
  #complaint = '';

  private constructor(kind: ProxyKind, port: number, folder: string) {
    this.#kind = kind;
    this.port = port;
    this.#folder = folder;
    this.#process = this.#spawn();
  }

  /**
   * Starts one in front of three brokers, whether they are there or not.
   * @param edit changes the configuration as an operator would
   */
  static async start(
    kind: ProxyKind,
    port: number,
    brokers: readonly BrokerPorts[],
    edit = (text: string) => text,
  ): Promise<RunningProxy> {
    const folder = mkdtempSync(join(tmpdir(), 'imap-broker-proxy-'));
    const { file } = kinds[kind];
    writeFileSync(join(folder, file), edit(configuration(file, port, brokers)));
    const proxy = new RunningProxy(kind, port, folder);
    await proxy.#listening();
    return proxy;
  }

  /** Kills it, with all of its sockets, and starts it again. */
  async restart(): Promise<void> {
    await this.#kill();
    this.#process = this.#spawn();
    await this.#listening();
  }

  /** Reads the configuration again, as `systemctl reload haproxy` does: a new process takes over, and no socket is cut. */
  async reload(): Promise<void> {
    const former = this.#process;
    this.#process = this.#spawn(['-sf', `${former.pid}`]);
    this.#former.push(former);
    await this.#listening();
  }

  async stop(): Promise<void> {
    await this.#kill();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #spawn(more: readonly string[] = []): ChildProcess {
    const { pack, program: path, file, args } = kinds[this.#kind];
    const { program, env } = unpacked(pack, path);
    const process = spawn(program, [...args(join(this.#folder, file)), ...more], {
      stdio: ['ignore', 'ignore', 'pipe'],
      env,
    });
    process.stderr?.on('data', (text: Buffer) => {
      this.#complaint = `${this.#complaint}${text}`.slice(-2_000);
    });
    return process;
  }

  async #kill(): Promise<void> {
    for (const process of [...this.#former.splice(0), this.#process]) {
      if (process.exitCode !== null || process.signalCode !== null) continue;
      process.kill('SIGKILL');
      await once(process, 'exit');
    }
  }

  async #listening(): Promise<void> {
    for (;;) {
      if (this.#process.exitCode !== null) throw new Error(`${this.#kind} ended: ${this.#complaint}`);
      const socket = connect(this.port, '127.0.0.1');
      const open = await new Promise<boolean>((resolve) => {
        socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
      });
      socket.destroy();
      if (open) return;
    }
  }
}

function configuration(name: string, port: number, brokers: readonly BrokerPorts[]): string {
  const file = new URL(`../../scale/${name}`, import.meta.url);
  const ports = new Map([[7100, port]]);
  for (const [index, { port: own, monitorPort }] of brokers.entries()) {
    ports.set(7143 + 100 * index, own).set(7144 + 100 * index, monitorPort);
  }
  return readFileSync(file, 'utf8')
    .replace(/\b7[1-3](?:00|43|44)\b/g, (found) => `${ports.get(Number(found))}`)
    .replace('http {', `http { access_log off; ${NGINX_FOLDERS}`);
}
