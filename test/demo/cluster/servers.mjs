// @ts-check
// HAProxy and Redis, from Debian's packages that `run.mjs` has unpacked without installing them.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { listening } from './ports.mjs';

const packages = fileURLToPath(new URL('../../../node_modules/.cache/imap-broker-servers', import.meta.url));
const haproxyFile = new URL('../../../scale/haproxy.cfg', import.meta.url);
const LIBRARIES = ['usr/lib/x86_64-linux-gnu', 'usr/lib/aarch64-linux-gnu', 'usr/lib'];
/** The most that is kept of what a server complains about. */
const COMPLAINT_CHARACTERS = 2_000;

/** @typedef {{ port: number, monitorPort: number }} BrokerPorts */

/** A server that an unpacked package has, as a process of its own. */
export class Server {
  #pack;
  #program;
  #args;
  #port;
  /** @type {import('node:child_process').ChildProcess | undefined} */
  #child;
  #complaint = '';

  /** @param {string} pack @param {string} path of the program within it @param {readonly string[]} args @param {number} port */
  constructor(pack, path, args, port) {
    this.#pack = pack;
    this.#program = join(packages, pack, path);
    this.#args = args;
    this.#port = port;
  }

  /** Resolves when its port takes connections. */
  async start() {
    const pack = this.#pack;
    if (!existsSync(this.#program)) throw new Error(`Debian's ${pack} is not there: \`npm run demo\` unpacks it.`);
    const child = spawn(this.#program, this.#args, {
      stdio: ['ignore', 'ignore', 'pipe'],
      // Ctrl-C in a terminal goes to all; the demo itself ends the server, after the brokers.
      detached: true,
      env: { ...process.env, LD_LIBRARY_PATH: LIBRARIES.map((each) => join(packages, pack, each)).join(':') },
    });
    this.#child = child;
    child.on('error', (error) => this.#complain(error.message));
    child.stderr?.on('data', (text) => this.#complain(text));
    await listening(this.#port, () => (this.#runs ? undefined : `${pack} ended: ${this.#complaint}`));
  }

  async stop() {
    if (!this.#child || !this.#runs) return;
    this.#child.kill('SIGKILL');
    await once(this.#child, 'exit');
  }

  get #runs() {
    return this.#child?.pid !== undefined && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** @param {unknown} text */
  #complain(text) {
    this.#complaint = `${this.#complaint}${text}`.slice(-COMPLAINT_CHARACTERS);
  }
}

/**
 * HAProxy with the file of the package, but for the ports.
 * @param {string} folder for its configuration @param {number} port @param {readonly BrokerPorts[]} brokers three
 */
export function haproxy(folder, port, brokers) {
  const ports = new Map([[7100, port]]);
  for (const [index, { port: own, monitorPort }] of brokers.entries()) {
    ports.set(7143 + 100 * index, own).set(7144 + 100 * index, monitorPort);
  }
  const text = readFileSync(haproxyFile, 'utf8');
  const changed = text.replace(/\b7[1-3](?:00|43|44)\b/g, (found) => `${ports.get(Number(found))}`);
  const file = join(folder, 'haproxy.cfg');
  writeFileSync(file, changed);
  return new Server('haproxy', 'usr/sbin/haproxy', ['-f', file], port);
}

/**
 * A Redis that keeps nothing on the disk.
 * @param {string} folder @param {number} port
 */
export function redis(folder, port) {
  const kept = ['--save', '', '--appendonly', 'no', '--dir', folder];
  const args = ['--bind', '127.0.0.1', '--port', `${port}`, ...kept];
  return new Server('redis-server', 'usr/bin/redis-server', args, port);
}
