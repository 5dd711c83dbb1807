import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSecureContext } from 'node:tls';
import { promisify } from 'node:util';
import { ImapFlow } from 'imapflow';
import type { ServerOptions } from '../../src/imap/server-options.js';
import { certificates } from './certificates.js';
import { dovecotConf } from './dovecot-conf.js';
import { freePorts, untilGreets } from './ports.js';

const BINARY = '/usr/sbin/dovecot';
export const MISSING = 'dovecot is not installed: on Debian run apt-get install dovecot-imapd';

export interface DovecotOptions {
  /** Hierarchy delimiter; default `/`. */
  separator?: '/' | '.';
  /** Prefix of the personal namespace; default none. */
  prefix?: string;
  /** Replaces the whole capability list after login. */
  imapCapability?: string;
  maxUserIpConnections?: number;
  /** More lines for dovecot.conf. */
  settings?: string;
}

export const PASSWORD = 'correct-horse';

/** A real Dovecot in a folder of its own, with TLS, where any user name may log in with {@link PASSWORD}. */
export class Dovecot {
  readonly host = '127.0.0.1';
  readonly folder: string;
  readonly tlsPort: number;
  readonly plainPort: number;
  readonly ca = certificates().ca;
  #process: ChildProcess | undefined;

  private constructor(folder: string, tlsPort: number, plainPort: number) {
    this.folder = folder;
    this.tlsPort = tlsPort;
    this.plainPort = plainPort;
  }

  /** Starts one; it answers when the promise resolves. */
  static async start(options: DovecotOptions = {}): Promise<Dovecot> {
    if (!existsSync(BINARY)) throw new Error(MISSING);
    const folder = await mkdtemp(join(tmpdir(), 'imap-broker-dovecot-'));
    // The mail processes run as another user than the one who made the folder.
    await chmod(folder, 0o755);
    const [tlsPort = 0, plainPort = 0] = await freePorts(2);
    const dovecot = new Dovecot(folder, tlsPort, plainPort);
    const { cert, key } = certificates();
    await writeFile(join(folder, 'cert.pem'), cert);
    await writeFile(join(folder, 'key.pem'), key, { mode: 0o600 });
    await mkdir(join(folder, 'mail'), { mode: 0o777 });
    await chmod(join(folder, 'mail'), 0o777);
    await writeFile(dovecot.#conf, dovecotConf({ folder, tlsPort, plainPort, password: PASSWORD, ...options }));
    await dovecot.run();
    return dovecot;
  }

  get #conf(): string {
    return join(this.folder, 'dovecot.conf');
  }

  /** Starts it again on the same ports with the same mail, after {@link kill}. */
  async run(): Promise<void> {
    const child = spawn(BINARY, ['-F', '-c', this.#conf], { stdio: ['ignore', 'ignore', 'pipe'] });
    let complaint = '';
    child.stderr?.on('data', (chunk) => {
      complaint += chunk;
    });
    this.#process = child;
    const alive = () => child.exitCode === null;
    try {
      await untilGreets(this.plainPort, 10_000, alive);
    } catch (cause) {
      throw new Error(`Dovecot did not start: ${complaint || (await this.log())}`, { cause });
    }
  }

  /** Ends master and children at once, as a crash would. */
  async kill(): Promise<void> {
    const child = this.#process;
    if (!child?.pid || child.exitCode !== null || child.signalCode !== null) return;
    const pids = await childrenOf(child.pid);
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    for (const pid of pids) kill(pid);
    await gone;
    await rm(join(this.folder, 'run', 'master.pid'), { force: true });
  }

  /** Ends it and removes its folder. */
  async stop(): Promise<void> {
    await this.kill();
    await rm(this.folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
  }

  async log(): Promise<string> {
    return readFile(join(this.folder, 'log'), 'utf8').catch(() => '');
  }

  /** How often somebody logged in so far. */
  async logins(): Promise<number> {
    return [...(await this.log()).matchAll(/imap-login: Info: (?:imap-login: )?Login: user=/g)].length;
  }

  /** Logged-in connections right now, by user. */
  async who(): Promise<Map<string, number>> {
    const { stdout } = await promisify(execFile)('/usr/bin/doveadm', ['-c', this.#conf, '-f', 'tab', 'who', '-1'], {
      encoding: 'utf8',
    });
    const users = stdout.trim().split('\n').slice(1);
    const counts = new Map<string, number>();
    for (const line of users) {
      const user = line.split('\t')[0] ?? '';
      if (user) counts.set(user, (counts.get(user) ?? 0) + 1);
    }
    return counts;
  }

  /** How the broker reaches it. */
  server(overrides: Partial<ServerOptions> = {}): ServerOptions {
    return {
      name: 'dovecot',
      host: this.host,
      port: this.tlsPort,
      tls: 'implicit',
      servername: 'localhost',
      secureContext: createSecureContext({ ca: this.ca }),
      compress: false,
      connectTimeoutMs: 5_000,
      loginTimeoutMs: 10_000,
      maxLiteralBytes: 64 * 1024 * 1024,
      ...overrides,
    };
  }

  /** Another mail client of a user, to make changes behind the broker's back. Log it out yourself. */
  async client(user: string): Promise<ImapFlow> {
    const flow = new ImapFlow({
      host: this.host,
      port: this.tlsPort,
      secure: true,
      servername: 'localhost',
      tls: { ca: this.ca },
      auth: { user, pass: PASSWORD },
      logger: false,
      disableAutoIdle: true,
    });
    flow.on('error', () => {});
    await flow.connect();
    return flow;
  }

  /** Puts messages into a folder by APPEND, in order. */
  async deliver(user: string, mailbox: string, messages: Array<string | Buffer>): Promise<void> {
    const flow = await this.client(user);
    try {
      for (const message of messages) await flow.append(mailbox, message);
    } finally {
      await flow.logout();
    }
  }
}

async function childrenOf(pid: number): Promise<number[]> {
  const { stdout } = await promisify(execFile)('ps', ['-o', 'pid=', '--ppid', String(pid)], { encoding: 'utf8' }).catch(
    () => ({ stdout: '' }),
  );
  return stdout.split('\n').map(Number).filter(Boolean);
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It ended by itself in the meantime.
  }
}

let counter = 0;
/** A user name that no other test uses. */
export function newUser(): string {
  counter += 1;
  return `user${process.pid}x${counter}`;
}
