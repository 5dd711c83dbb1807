import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { unpacked } from './unpacked.js';

/** Where a broker listens, and its monitor. */
export interface BrokerPorts {
  port: number;
  monitorPort: number;
}

/** A real HAProxy with the configuration that the package has, but for the ports. */
export class Haproxy {
  readonly port: number;
  #process: ChildProcess;
  readonly #folder: string;
  /** The end of what it wrote to its standard error. */
  #complaint = '';

  private constructor(port: number, folder: string) {
    this.port = port;
    this.#folder = folder;
    this.#process = this.#spawn();
  }

  /** Starts one in front of three brokers, whether they are there or not. */
  static async start(port: number, brokers: readonly BrokerPorts[]): Promise<Haproxy> {
    const folder = mkdtempSync(join(tmpdir(), 'imap-broker-haproxy-'));
    writeFileSync(join(folder, 'haproxy.cfg'), configuration(port, brokers));
    const haproxy = new Haproxy(port, folder);
    await haproxy.#listening();
    return haproxy;
  }

  /** Kills it, with all of its sockets, and starts it again. */
  async restart(): Promise<void> {
    await this.#kill();
    this.#process = this.#spawn();
    await this.#listening();
  }

  async stop(): Promise<void> {
    await this.#kill();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #spawn(): ChildProcess {
    const { program, env } = unpacked('haproxy', 'usr/sbin/haproxy');
    const file = join(this.#folder, 'haproxy.cfg');
    const process = spawn(program, ['-f', file], { stdio: ['ignore', 'ignore', 'pipe'], env });
    process.stderr?.on('data', (text: Buffer) => {
      this.#complaint = `${this.#complaint}${text}`.slice(-2_000);
    });
    return process;
  }

  async #kill(): Promise<void> {
    if (this.#process.exitCode !== null) return;
    this.#process.kill('SIGKILL');
    await once(this.#process, 'exit');
  }

  async #listening(): Promise<void> {
    for (;;) {
      if (this.#process.exitCode !== null) throw new Error(`HAProxy ended: ${this.#complaint}`);
      const socket = connect(this.port, '127.0.0.1');
      const open = await new Promise<boolean>((resolve) => {
        socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
      });
      socket.destroy();
      if (open) return;
    }
  }
}

function configuration(port: number, brokers: readonly BrokerPorts[]): string {
  const file = new URL('../../scale/haproxy.cfg', import.meta.url);
  const ports = new Map([[7100, port]]);
  for (const [index, { port: own, monitorPort }] of brokers.entries()) {
    ports.set(7143 + 100 * index, own).set(7144 + 100 * index, monitorPort);
  }
  return readFileSync(file, 'utf8').replace(/\b7[1-3](?:00|43|44)\b/g, (found) => `${ports.get(Number(found))}`);
}
