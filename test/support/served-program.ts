import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hashToken } from '../../src/session/tenants.js';
import { builtProgram } from '../cli/built.js';
import { Program } from '../cli/program.js';
import type { Dovecot } from './dovecot.js';
import { RawClient, TOKEN } from './running-broker.js';

/** The compiled broker as a process of its own, that can be restarted: its files stay where they are. */
export class ServedProgram {
  readonly folder = mkdtempSync(join(tmpdir(), 'imap-broker-served-'));
  readonly #clients: RawClient[] = [];
  program!: Program;

  /** @param rest of its configuration, beside a listener, an admin socket, a tenant with both scopes and the Dovecot, or a relay before it, without TLS */
  constructor(dovecot: Pick<Dovecot, 'plainPort'>, rest = '[session]\nstate_dir = "."\n') {
    writeFileSync(
      join(this.folder, 'config.toml'),
      `[admin]
socket = "admin.sock"
[[listener]]
unix = "broker.sock"
[[server]]
name = "dovecot"
host = "127.0.0.1"
port = ${dovecot.plainPort}
tls = "none"
[[tenant]]
name = "webmail"
token_hashes = ["${hashToken(TOKEN)}"]
scopes = ["user", "admin"]
${rest}`,
    );
  }

  get pid(): number {
    return this.program.child.pid ?? 0;
  }

  /** @param before what runs the program in its place, such as `prlimit --fsize=0` */
  launch(...before: string[]): Program {
    const [command = '', ...args] = [...before, process.execPath, builtProgram(), 'serve', '--config', 'config.toml'];
    this.program = new Program(command, args, { cwd: this.folder });
    return this.program;
  }

  async start(...before: string[]): Promise<void> {
    await this.launch(...before).printed(/"listening"/);
  }

  async connect(): Promise<RawClient> {
    const client = await RawClient.open(`ws+unix:${join(this.folder, 'broker.sock')}`);
    this.#clients.push(client);
    return client;
  }

  async end(): Promise<void> {
    for (const { ws } of this.#clients) ws.terminate();
    await this.program?.stop('SIGKILL');
    rmSync(this.folder, { recursive: true, force: true });
  }
}
