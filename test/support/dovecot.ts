import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ImapFlow } from 'imapflow';
import type { ServerOptions } from '../../src/imap/login/server-options.js';
import { type BulkMessage, writeMaildir } from './bulk-deliver.js';
import { certificates } from './certificates.js';
import { findProgram } from './dovecot-binary.js';
import { type DovecotOptions, dovecotConf } from './dovecot-conf.js';
import { DovecotPasswords } from './dovecot-passwords.js';
import { freePorts, untilGreets, untilRefuses } from './ports.js';
import { upstream } from './upstream.js';
import { Watchdog } from './watchdog.js';

export { MISSING } from './dovecot-binary.js';
export type { DovecotOptions } from './dovecot-conf.js';

export const PASSWORD = 'correct-horse';

/** A real Dovecot in a folder of its own, with TLS, where any user name may log in with one password. */
export class Dovecot {
  readonly host = '127.0.0.1';
  readonly folder: string;
  /** IMAP in TLS from the first byte. */
  readonly tlsPort: number;
  /** IMAP in the clear, with STARTTLS. */
  readonly plainPort: number;
  readonly password: string;
  /** PEM of the authority that signed the certificate for localhost and 127.0.0.1. */
  readonly ca = certificates().ca;
  /** The same as a file, for what takes only a path. */
  readonly caPath: string;
  readonly #options: DovecotOptions;
  readonly #passwords: DovecotPasswords;
  readonly #watchdog: Watchdog;
  readonly #clients = new Set<ImapFlow>();
  #process: ChildProcess | undefined;

  private constructor(folder: string, tlsPort: number, plainPort: number, options: DovecotOptions) {
    this.folder = folder;
    this.tlsPort = tlsPort;
    this.plainPort = plainPort;
    this.password = options.password ?? PASSWORD;
    this.caPath = join(folder, 'ca.pem');
    this.#options = options;
    this.#passwords = new DovecotPasswords(folder);
    this.#watchdog = new Watchdog(folder);
  }

  /**
   * Starts one; it answers when the promise resolves, after some 40 ms.
   * @throws Error when Dovecot is not installed, or with what it complained about
   */
  static async start(options: DovecotOptions = {}): Promise<Dovecot> {
    findProgram('dovecot');
    const folder = await mkdtemp(join(tmpdir(), 'imap-broker-dovecot-'));
    // The mail processes run as another user than the one who made the folder.
    await chmod(folder, 0o755);
    const [tlsPort = 0, plainPort = 0] = await freePorts(2);
    const dovecot = new Dovecot(folder, tlsPort, plainPort, options);
    const { ca, cert, key } = certificates();
    await Promise.all([
      writeFile(dovecot.caPath, ca),
      writeFile(join(folder, 'cert.pem'), cert),
      writeFile(join(folder, 'key.pem'), key, { mode: 0o600 }),
      dovecot.#passwords.write(),
      mkdir(join(folder, 'mail')).then(() => chmod(join(folder, 'mail'), 0o777)),
      writeFile(dovecot.#conf, dovecotConf(dovecot, { ...options, password: dovecot.password })),
    ]);
    try {
      await dovecot.run();
    } catch (failure) {
      await dovecot.stop();
      throw failure;
    }
    return dovecot;
  }

  get #conf(): string {
    return join(this.folder, 'dovecot.conf');
  }

  /** Starts it again on the same ports with the same mail, after {@link kill}. */
  async run(): Promise<void> {
    // A process group of its own, so that one signal reaches the children as well.
    const child = spawn(findProgram('dovecot'), ['-F', '-c', this.#conf], {
      stdio: ['ignore', 'ignore', 'pipe'],
      detached: true,
    });
    let complaint = '';
    child.stderr?.on('data', (chunk) => {
      complaint += chunk;
    });
    this.#process = child;
    await once(child, 'spawn');
    this.#watchdog.guard(child.pid ?? 0);
    const alive = () => child.exitCode === null && child.signalCode === null;
    try {
      await untilGreets(this.plainPort, 10_000, alive);
    } catch (cause) {
      throw new Error(`Dovecot did not start: ${complaint || (await this.log())}`, { cause });
    }
  }

  /** Ends master and children at once, as a crash would: clients see their connections end without a BYE. */
  async kill(): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    if (!child?.pid || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    process.kill(-child.pid, 'SIGKILL');
    await gone;
    this.#watchdog.guard(0);
    // A child that is still dying takes connections, and cuts them.
    await untilRefuses(this.plainPort, 10_000);
    // The sockets too: a child that is still dying would answer on one, and the next Dovecot would not start.
    await rm(join(this.folder, 'run'), { recursive: true, force: true });
    await this.#removeLocks();
  }

  /** A process that is killed leaves its lock files, which the next one would wait for. */
  async #removeLocks(): Promise<void> {
    const mail = join(this.folder, 'mail');
    const names = await readdir(mail, { recursive: true }).catch(() => []);
    await Promise.all(
      names.filter((name) => name.endsWith('.lock')).map((name) => rm(join(mail, name), { force: true })),
    );
  }

  /** Ends it and its {@link client}s, and removes its folder. */
  async stop(): Promise<void> {
    for (const client of this.#clients) client.close();
    await this.kill();
    await this.#watchdog.finish();
  }

  /** The whole log so far. Dovecot writes it behind: poll for a line, do not expect it at once. */
  async log(): Promise<string> {
    return readFile(join(this.folder, 'log'), 'utf8').catch(() => '');
  }

  /** How many logins there were so far, by the log. */
  async logins(user?: string): Promise<number> {
    const lines = [...(await this.log()).matchAll(/imap-login: Info: (?:imap-login: )?Login: user=<([^>]*)>/g)];
    return lines.filter(([, name]) => user === undefined || name === user).length;
  }

  /** Logged-in connections right now, by user. */
  async who(): Promise<Map<string, number>> {
    const stdout = await this.doveadm('-f', 'tab', 'who', '-1');
    const counts = new Map<string, number>();
    for (const line of stdout.trim().split('\n').slice(1)) {
      const user = line.split('\t')[0] ?? '';
      if (user) counts.set(user, (counts.get(user) ?? 0) + 1);
    }
    return counts;
  }

  /** Ends a user's connections, as an operator does: each gets a BYE. */
  async kick(user: string): Promise<void> {
    await this.doveadm('kick', user);
  }

  /** Runs doveadm on this Dovecot and answers what it prints. */
  async doveadm(...args: string[]): Promise<string> {
    const { stdout } = await promisify(execFile)(findProgram('doveadm'), ['-c', this.#conf, ...args], {
      encoding: 'utf8',
      maxBuffer: 64 * 1024 * 1024,
    });
    return stdout;
  }

  /** From now on this user logs in with this password, or another one, alone; live connections go on. Takes up to a second. */
  setPassword(user: string, password: string, other?: string): Promise<void> {
    return this.#passwords.set(user, password, other);
  }

  /** A user name that no other test uses. */
  user(name?: string): string {
    return newUser(name);
  }

  /** How the broker reaches it. */
  server(overrides: Partial<ServerOptions> = {}): ServerOptions {
    return upstream('dovecot', this.tlsPort, overrides);
  }

  /** Another mail client of a user, to make changes behind the broker's back. {@link stop} closes it at the latest. */
  async client(user: string, password = this.password): Promise<ImapFlow> {
    const flow = new ImapFlow({
      host: this.host,
      port: this.tlsPort,
      secure: true,
      servername: 'localhost',
      tls: { ca: this.ca },
      auth: { user, pass: password },
      logger: false,
      disableAutoIdle: true,
    });
    flow.on('error', () => {});
    flow.once('close', () => this.#clients.delete(flow));
    this.#clients.add(flow);
    await flow.connect();
    return flow;
  }

  /** Puts messages into a folder by APPEND, in order; the folder is made if need be. Answers their UIDs. */
  async deliver(
    user: string,
    mailbox: string,
    messages: string | Buffer | Array<string | Buffer>,
    options: { flags?: string[]; date?: Date } = {},
  ): Promise<number[]> {
    const flow = await this.client(user);
    const uids: number[] = [];
    try {
      if (mailbox.toUpperCase() !== 'INBOX') await flow.mailboxCreate(mailbox);
      for (const message of Array.isArray(messages) ? messages : [messages]) {
        const answer = await flow.append(mailbox, message, options.flags, options.date);
        if (!answer) throw new Error(`APPEND to ${mailbox} failed`);
        uids.push(answer.uid ?? 0);
      }
    } finally {
      await flow.logout().catch(() => {});
    }
    return uids;
  }

  /**
   * Puts very many messages into a folder, 50,000 in some seconds, by writing their files. UIDs follow the order. The date
   * of arrival is what `make` says, or a second later each time. Only for `maildir`.
   */
  async bulkDeliver(
    user: string,
    mailbox: string,
    count: number,
    make: (index: number) => BulkMessage | string,
  ): Promise<void> {
    const { storage = 'maildir', separator = '/', prefix = '' } = this.#options;
    if (storage !== 'maildir') throw new Error('bulkDeliver needs the storage `maildir`');
    const flow = await this.client(user);
    try {
      if (mailbox.toUpperCase() === 'INBOX') await flow.status(mailbox, { messages: true });
      else await flow.mailboxCreate(mailbox);
    } finally {
      await flow.logout().catch(() => {});
    }
    const inner = mailbox.startsWith(prefix) ? mailbox.slice(prefix.length) : mailbox;
    const parts = mailbox.toUpperCase() === 'INBOX' ? [] : inner.split(separator);
    writeMaildir(join(this.folder, 'mail', user, 'Maildir', ...parts), count, make);
  }
}

/** Starts a real Dovecot: see {@link Dovecot.start}. */
export function startDovecot(options: DovecotOptions = {}): Promise<Dovecot> {
  return Dovecot.start(options);
}

let counter = 0;
/** A user name that no other test uses. */
export function newUser(name = 'user'): string {
  counter += 1;
  return `${name}${process.pid}x${counter}`;
}
