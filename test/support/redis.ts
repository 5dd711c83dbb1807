import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { certificates } from './certificates.js';
import { freePorts } from './ports.js';
import { unpacked } from './unpacked.js';

/** A real Redis that keeps nothing on the disk, on a port of its own. */
export class RedisServer {
  readonly port: number;
  readonly password = 'a-password-for-tests';
  readonly #tls: boolean;
  readonly #folder = mkdtempSync(join(tmpdir(), 'imap-broker-redis-'));
  #process: ChildProcess | undefined;

  private constructor(port: number, tls: boolean) {
    this.port = port;
    this.#tls = tls;
  }

  static async start({ tls = false } = {}): Promise<RedisServer> {
    const [port = 0] = await freePorts(1);
    const server = new RedisServer(port, tls);
    await server.run();
    return server;
  }

  get url(): string {
    return `${this.#tls ? 'rediss' : 'redis'}://:${this.password}@localhost:${this.port}`;
  }

  /** Starts it, empty, after it was killed. */
  async run(): Promise<void> {
    const { program, env } = unpacked('redis-server', 'usr/bin/redis-server');
    const options = ['--bind', '127.0.0.1', ...this.#portOptions(), '--save', '', '--appendonly', 'no'];
    this.#process = spawn(program, [...options, '--requirepass', this.password, '--dir', this.#folder], {
      stdio: 'ignore',
      env,
    });
    while (!(await this.#answers())) {
      if (this.#process.exitCode !== null) throw new Error(`Redis ended with ${this.#process.exitCode}.`);
    }
  }

  async kill(): Promise<void> {
    const running = this.#process;
    this.#process = undefined;
    if (!running || running.exitCode !== null) return;
    running.kill('SIGKILL');
    await once(running, 'exit');
  }

  /** Stops it where it stands, without closing any connection, until {@link thaw}. */
  freeze(): void {
    this.#process?.kill('SIGSTOP');
  }

  thaw(): void {
    this.#process?.kill('SIGCONT');
  }

  async stop(): Promise<void> {
    await this.kill();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #portOptions(): string[] {
    if (!this.#tls) return ['--port', `${this.port}`];
    const { cert, key } = certificates();
    const [certFile, keyFile] = [join(this.#folder, 'cert.pem'), join(this.#folder, 'key.pem')];
    writeFileSync(certFile, cert);
    writeFileSync(keyFile, key);
    const files = ['--tls-cert-file', certFile, '--tls-key-file', keyFile, '--tls-auth-clients', 'no'];
    return ['--port', '0', '--tls-port', `${this.port}`, ...files];
  }

  async #answers(): Promise<boolean> {
    const socket = connect(this.port, '127.0.0.1');
    const open = await new Promise<boolean>((resolve) => {
      socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    });
    socket.destroy();
    return open;
  }
}
