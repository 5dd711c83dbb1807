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
  readonly #process: ChildProcess;
  readonly #folder: string;
  /** The end of what it wrote to its standard error. */
  #complaint = '';

  private constructor(port: number, process: ChildProcess, folder: string) {
    this.port = port;
    this.#process = process;
    this.#folder = folder;
    process.stderr?.on('data', (text: Buffer) => {
      this.#complaint = `${this.#complaint}${text}`.slice(-2_000);
    });
  }

  /** Starts one in front of three brokers, whether they are there or not. */
  static async start(port: number, brokers: readonly BrokerPorts[]): Promise<Haproxy> {
    const { program, env } = unpacked('haproxy', 'usr/sbin/haproxy');
    const folder = mkdtempSync(join(tmpdir(), 'imap-broker-haproxy-'));
    const file = join(folder, 'haproxy.cfg');
    writeFileSync(file, configuration(port, brokers));
    const process = spawn(program, ['-f', file], { stdio: ['ignore', 'ignore', 'pipe'], env });
    const haproxy = new Haproxy(port, process, folder);
    await haproxy.#listening();
    return haproxy;
  }

  async stop(): Promise<void> {
    if (this.#process.exitCode === null) {
      this.#process.kill('SIGKILL');
      await once(this.#process, 'exit');
    }
    rmSync(this.#folder, { recursive: true, force: true });
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
