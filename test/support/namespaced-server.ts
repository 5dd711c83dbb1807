import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, rm } from 'node:fs/promises';
import type { Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ServerOptions } from '../../src/imap/login/server-options.js';
import { type Answer, startAuthSocket } from './auth-socket.js';
import { newUser, PASSWORD } from './dovecot.js';
import { LeanImap } from './lean-imap.js';
import { startNamespaced } from './namespaced.js';
import { freePorts } from './ports.js';
import { upstream } from './upstream.js';
import { Watchdog } from './watchdog.js';

/** What differs from one server to the other. */
export interface Kind {
  /** Debian's package. */
  pack: string;
  /** How the broker's configuration names it. */
  name: string;
  /** Begins the names of all folders but INBOX. */
  prefix: string;
  separator: string;
  /** Answers the server's question whether a password is right. */
  answer(server: NamespacedServer): Answer;
  /** Where the files of a user's folder are, for a server that knows its folders by them. */
  pathOf?(folder: string, user: string, mailbox: string): string;
  /** Writes its configuration into {@link NamespacedServer.etc}, and answers the shell commands that start it. */
  configure(server: NamespacedServer): Promise<string>;
}

/** A real mail server from Debian's packages that is not installed: it runs in a namespace and a folder of its own. */
export class NamespacedServer {
  readonly host = '127.0.0.1';
  readonly kind: Kind;
  readonly folder: string;
  /** IMAP in the clear. */
  readonly plainPort: number;
  /** Every user name may log in with it. */
  readonly password = PASSWORD;
  readonly #watchdog: Watchdog;
  #auth: Server | undefined;
  #process: ChildProcess | undefined;

  private constructor(kind: Kind, folder: string, plainPort: number) {
    this.kind = kind;
    this.folder = folder;
    this.plainPort = plainPort;
    this.#watchdog = new Watchdog(folder);
  }

  /**
   * Starts one; it greets when the promise resolves.
   * @throws Error that says what is missing, or with what the server complained about
   */
  static async start(kind: Kind): Promise<NamespacedServer> {
    const folder = await mkdtemp(join(tmpdir(), `imap-broker-${kind.name}-`));
    // The server's processes run as another user than the one who made the folder.
    await chmod(folder, 0o755);
    const [plainPort = 0] = await freePorts(1);
    const server = new NamespacedServer(kind, folder, plainPort);
    try {
      await server.#run();
    } catch (failure) {
      await server.stop();
      throw failure;
    }
    return server;
  }

  /** The folder of its socket for logins. */
  get authFolder(): string {
    return join(this.folder, 'auth');
  }

  /** The folder of files that go before those of the packages in /etc. */
  get etc(): string {
    return join(this.folder, 'etc');
  }

  /** Takes a user's folders away by their files; undefined for a server that would not notice. */
  get removeFolders(): ((user: string, folders: readonly string[]) => Promise<void>) | undefined {
    const { pathOf } = this.kind;
    if (!pathOf) return undefined;
    return async (user, folders) => {
      // The server may write there meanwhile.
      const options = { recursive: true, force: true, maxRetries: 20, retryDelay: 10 };
      for (const each of folders) await rm(pathOf(this.folder, user, each), options);
    };
  }

  /** Ends it and removes its folder. */
  async stop(): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    if (child?.pid && child.exitCode === null && child.signalCode === null) {
      const gone = once(child, 'exit');
      process.kill(-child.pid, 'SIGKILL');
      await gone;
    }
    this.#auth?.close();
    this.#watchdog.guard(0);
    await this.#watchdog.finish();
  }

  /** A user name that no other test uses. */
  user(name?: string): string {
    return newUser(name);
  }

  /** How the broker reaches it. */
  server(overrides: Partial<ServerOptions> = {}): ServerOptions {
    return upstream(this.kind.name, this.plainPort, { tls: 'none', ...overrides });
  }

  /** Another mail client of a user, to make changes behind the broker's back. The caller closes it. */
  client(user: string): Promise<LeanImap> {
    return LeanImap.open(this.plainPort, user, this.password);
  }

  /** The name of a folder, as the server wants it. */
  folderName(...parts: string[]): string {
    return `${this.kind.prefix}${parts.join(this.kind.separator)}`;
  }

  /** Puts messages into a folder by APPEND, in order; a folder other than INBOX is made if need be. */
  async deliver(user: string, mailbox: string, messages: readonly string[]): Promise<void> {
    const client = await this.client(user);
    try {
      if (mailbox !== 'INBOX') await client.send(`CREATE "${mailbox}"`);
      for (const message of messages) await client.all(`APPEND "${mailbox}" {${message.length}}\r\n${message}`);
    } finally {
      await client.close();
    }
  }

  async #run(): Promise<void> {
    const { kind, etc, authFolder, plainPort: port } = this;
    await Promise.all([mkdir(etc), mkdir(authFolder)]);
    this.#auth = await startAuthSocket(join(authFolder, 'socket'), kind.answer(this));
    const run = await kind.configure(this);
    this.#process = await startNamespaced({ pack: kind.pack, etc, run, port }, this.#watchdog);
  }
}
