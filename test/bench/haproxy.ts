import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Program } from '../cli/program.js';
import { freePorts } from '../support/ports.js';
import type { BrokerPorts } from './bench-broker.js';

/** Both below the folder that the bench is run in: it is itself compiled, and elsewhere. */
const PACKAGE = 'node_modules/.cache/imap-broker-servers/haproxy';
const PROGRAM = join(PACKAGE, 'usr/sbin/haproxy');
const CONFIGURATION = 'scale/haproxy.cfg';
const LIBRARIES = ['usr/lib/x86_64-linux-gnu', 'usr/lib/aarch64-linux-gnu', 'usr/lib'];

/** Whether Debian's package is unpacked. */
export function haproxyIsThere(): boolean {
  return existsSync(PROGRAM);
}

/** HAProxy as a process of its own, with the configuration that the package has, but for the ports. */
export class Haproxy {
  readonly url: string;
  readonly #folder: string;
  readonly #program: Program;

  private constructor(port: number, folder: string, running: Program) {
    this.url = `ws://127.0.0.1:${port}`;
    this.#folder = folder;
    this.#program = running;
  }

  /** Starts one in front of up to three brokers. */
  static async start(brokers: readonly BrokerPorts[]): Promise<Haproxy> {
    if (!haproxyIsThere()) throw new Error(`There is no ${PROGRAM}: \`npm run bench\` unpacks Debian's haproxy there.`);
    const [port = 0] = await freePorts(1);
    const folder = await mkdtemp(join(tmpdir(), 'imap-broker-haproxy-'));
    const file = join(folder, 'haproxy.cfg');
    await writeFile(file, configuration(await readFile(CONFIGURATION, 'utf8'), port, brokers));
    const libraries = LIBRARIES.map((each) => resolve(PACKAGE, each)).join(':');
    const running = new Program(PROGRAM, ['-f', file], { env: { LD_LIBRARY_PATH: libraries } });
    const proxy = new Haproxy(port, folder, running);
    try {
      await untilOpen(port, running);
    } catch (failure) {
      await proxy.stop();
      throw failure;
    }
    return proxy;
  }

  get pid(): number {
    return this.#program.child.pid ?? 0;
  }

  async stop(): Promise<void> {
    await this.#program.stop('SIGKILL');
    await rm(this.#folder, { recursive: true, force: true });
  }
}

/** The file of the package with other ports, and without the brokers that there are not. */
export function configuration(file: string, port: number, brokers: readonly BrokerPorts[]): string {
  const ports = new Map([[7100, port]]);
  for (const [index, { port: own, monitorPort }] of brokers.entries()) {
    ports.set(7143 + 100 * index, own).set(7144 + 100 * index, monitorPort);
  }
  return file
    .split('\n')
    .filter((line) => Number(/^\s*server broker(\d)/.exec(line)?.[1] ?? 0) <= brokers.length)
    .map((line) => line.replace(/\b7[1-3](?:00|43|44)\b/g, (found) => `${ports.get(Number(found)) ?? found}`))
    .join('\n');
}

async function untilOpen(port: number, running: Program): Promise<void> {
  while (running.child.exitCode === null) {
    const socket = connect(port, '127.0.0.1');
    const open = await new Promise<boolean>((resolve) => {
      socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    });
    socket.destroy();
    if (open) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`HAProxy ended: ${running.out}${running.err}`);
}
