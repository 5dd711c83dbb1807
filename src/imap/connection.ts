import { ImapFlow, type MailboxObject } from 'imapflow';
import { BrokerError } from '../protocol/errors.js';
import { commandError, connectError, lostError, replyOf } from './failures.js';
import { canonicalName } from './mailbox-names.js';
import type { Credentials, ServerOptions } from './server-options.js';

/** The folder that a connection has selected, as the server last described it. */
export interface SelectedMailbox {
  path: string;
  uidValidity: number;
  /** Messages in it now, kept up to date by untagged EXISTS and EXPUNGE. */
  exists: number;
  /** `undefined` where the server does not tell (Courier). */
  uidNext: number | undefined;
  readOnly: boolean;
  /** Flags that stay; with `\*` new keywords may be made. `undefined`: the server does not tell, so all. */
  permanentFlags: ReadonlySet<string> | undefined;
}

/** An account's authenticated IMAP connection. Its holder has it alone: the lease is the lock. */
export class ImapConnection {
  readonly id: string;
  readonly server: ServerOptions;
  readonly user: string;
  readonly createdAt = Date.now();
  readonly #flow: ImapFlow;
  #writesBegun = 0;
  #writesDone = 0;
  #refusal: unknown;
  #onClose: Array<() => void> = [];

  private constructor(id: string, server: ServerOptions, credentials: Credentials) {
    this.id = id;
    this.server = server;
    this.user = credentials.user;
    this.#flow = new ImapFlow(flowOptions(id, server, credentials, (failure) => this.#noteRefusal(failure)));
    // Without a listener an RST would end the process; what it means is learnt from `usable` and `close`.
    this.#flow.on('error', () => {});
    this.#flow.once('close', () => {
      for (const listener of this.#onClose.splice(0)) listener();
    });
  }

  /**
   * Connects, secures and logs in. On failure or abort nothing is left open.
   * @throws BrokerError UPSTREAM_UNAVAILABLE, IMAP_AUTH_FAILED or the signal's reason
   */
  static async open(
    id: string,
    server: ServerOptions,
    credentials: Credentials,
    signal?: AbortSignal,
  ): Promise<ImapConnection> {
    signal?.throwIfAborted();
    const connection = new ImapConnection(id, server, credentials);
    const limit = AbortSignal.timeout(server.connectTimeoutMs * 2 + server.loginTimeoutMs);
    const stop = () => connection.close();
    signal?.addEventListener('abort', stop);
    limit.addEventListener('abort', stop);
    try {
      await connection.#flow.connect();
      if (!connection.#flow.usable) throw lostError();
      // With it imapflow puts the personal prefix before every name, also before those of other users' folders.
      connection.#flow.namespace = undefined;
      return connection;
    } catch (failure) {
      connection.close();
      signal?.throwIfAborted();
      if (limit.aborted) throw connectError({ code: 'login timed out' }, server.name);
      throw connectError(failure, server.name);
    } finally {
      signal?.removeEventListener('abort', stop);
      limit.removeEventListener('abort', stop);
    }
  }

  get usable(): boolean {
    return this.#flow.usable;
  }

  /** Writes that were sent, and those of them whose success is known. A lease compares before and after. */
  get writes(): { begun: number; done: number } {
    return { begun: this.#writesBegun, done: this.#writesDone };
  }

  get bytes(): { sent: number; received: number } {
    return this.#flow.stats();
  }

  /** Whether the server offers a capability, in upper case, for instance `UIDPLUS` or `THREAD=REFERENCES`. */
  has(capability: string): boolean {
    return this.#flow.capabilities.has(capability);
  }

  get capabilities(): ReadonlyMap<string, boolean | number> {
    return this.#flow.capabilities;
  }

  get namespaces(): ImapFlow['namespaces'] {
    return this.#flow.namespaces;
  }

  get selected(): SelectedMailbox | undefined {
    const { mailbox } = this.#flow;
    return mailbox ? describe(mailbox) : undefined;
  }

  /** Calls the listener once when the connection ends, at once if it has ended. */
  onClose(listener: () => void): void {
    if (this.#flow.isClosed) listener();
    else this.#onClose.push(listener);
  }

  /**
   * Runs one imapflow call and turns what imapflow hides into errors: on a lost connection or a refusal many of its
   * calls resolve with false or undefined.
   * @throws BrokerError CONNECTION_LOST, IMAP_NO, NOT_FOUND, TOO_LARGE or UPSTREAM_UNAVAILABLE
   */
  async command<T>(
    effect: 'read' | 'write',
    call: (flow: ImapFlow) => Promise<T>,
  ): Promise<Exclude<T, false | undefined>> {
    if (!this.usable) throw lostError().withExecuted('no');
    this.#refusal = undefined;
    if (effect === 'write') this.#writesBegun += 1;
    let result: T;
    try {
      result = await call(this.#flow);
    } catch (failure) {
      // On a connection that has ended imapflow trips over its own missing socket.
      throw failure instanceof TypeError && !this.usable ? lostError(failure) : commandError(failure);
    }
    if (result === false || result === undefined) throw this.#hiddenFailure();
    if (!this.usable) throw lostError();
    if (effect === 'write') this.#writesDone += 1;
    return result as Exclude<T, false | undefined>;
  }

  /**
   * Selects a folder, or keeps the selection when it is there already; then, if `fresh`, one NOOP is the barrier that
   * delivers what other clients changed.
   * @throws BrokerError NOT_FOUND, or STATE_CHANGED when `uidValidity` is given and another one holds
   */
  async select(
    mailbox: string,
    options: { fresh?: boolean; uidValidity?: number | undefined } = {},
  ): Promise<SelectedMailbox> {
    const path = canonicalName(mailbox);
    if (this.selected?.path !== path || (options.fresh && !(await this.#refresh()))) {
      // Else imapflow sends a LIST first, in which a `*` of the name is a wildcard.
      const { folders } = insideOf(this.#flow);
      folders.clear();
      folders.set(path, { path });
      await this.command('read', (flow) => flow.mailboxOpen(path)).catch((failure: unknown) => {
        throw selectError(failure, path);
      });
    }
    const { selected } = this;
    if (!selected) throw lostError();
    const expected = options.uidValidity;
    if (expected !== undefined && expected !== selected.uidValidity) {
      throw new BrokerError(
        'STATE_CHANGED',
        `uidValidity: the folder "${path}" has ${selected.uidValidity} now, not ${expected}; list it again.`,
        { field: 'uidValidity' },
      );
    }
    return selected;
  }

  /** One round trip that changes nothing; delivers what is pending. */
  async noop(): Promise<void> {
    await this.command('read', async (flow) => {
      await flow.noop();
      // imapflow's noop never tells how it ended.
      return this.#refusal === undefined;
    });
  }

  /** Whether no command is on the wire: work that left one behind must not lend its connection to the next. */
  get quiet(): boolean {
    return insideOf(this.#flow).requestTagMap.size === 0;
  }

  /** Leaves the selected folder so that it can be deleted or renamed without the server ending the connection. */
  async unselect(): Promise<void> {
    if (!this.selected) return;
    if (!this.has('UNSELECT') && !this.has('IMAP4rev2')) {
      // A CLOSE after SELECT would expunge what other clients marked as deleted; after EXAMINE it does not.
      const { path } = this.selected;
      await this.command('read', (flow) => flow.mailboxOpen(path, { readOnly: true }));
    }
    await this.command('read', (flow) => insideOf(flow).run('CLOSE', { unselect: true }));
  }

  /** Says LOGOUT and waits for the end, at most so long; then closes hard. Never rejects. */
  async logout(timeoutMs: number): Promise<void> {
    if (!this.#flow.isClosed && this.usable) {
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, timeoutMs);
      });
      await Promise.race([this.#flow.logout().catch(() => {}), late]);
      clearTimeout(timer);
    }
    this.close();
  }

  /** Closes the socket at once; commands under way reject. */
  close(): void {
    this.#flow.close();
  }

  async #refresh(): Promise<boolean> {
    try {
      await this.noop();
      return true;
    } catch (failure) {
      // Cyrus answers NO when the folder was renamed or deleted elsewhere: a new SELECT tells which.
      if (this.usable) return false;
      throw failure;
    }
  }

  #noteRefusal(failure: unknown): void {
    if (replyOf(failure)) this.#refusal = failure;
  }

  #hiddenFailure(): BrokerError {
    if (!this.usable) return lostError();
    if (this.#refusal) return commandError(this.#refusal);
    return new BrokerError('INTERNAL', 'An IMAP command ended without a result.', { executed: 'maybe' });
  }
}

/** The part of imapflow's inside that this file rests on; imapflow's version is pinned because of it. */
interface FlowInside {
  requestTagMap: Map<string, unknown>;
  folders: Map<string, { path: string }>;
  run(command: 'CLOSE', options: { unselect: boolean }): Promise<boolean | undefined>;
}

function insideOf(flow: ImapFlow): FlowInside {
  return flow as unknown as FlowInside;
}

function describe(mailbox: MailboxObject): SelectedMailbox {
  return {
    path: mailbox.path,
    uidValidity: Number(mailbox.uidValidity),
    exists: mailbox.exists,
    uidNext: mailbox.uidNext || undefined,
    readOnly: mailbox.readOnly ?? false,
    permanentFlags: mailbox.permanentFlags,
  };
}

function selectError(failure: unknown, path: string): unknown {
  if (!(failure instanceof BrokerError) || (failure.kind !== 'IMAP_NO' && failure.kind !== 'NOT_FOUND')) return failure;
  return new BrokerError('NOT_FOUND', `mailbox: the folder "${path}" cannot be opened.`, {
    field: 'mailbox',
    imap: failure.imap,
    cause: failure,
  });
}

function flowOptions(id: string, server: ServerOptions, credentials: Credentials, note: (failure: unknown) => void) {
  const quiet = () => {};
  const secret = 'password' in credentials ? { pass: credentials.password } : { accessToken: credentials.accessToken };
  return {
    id,
    host: server.host,
    port: server.port,
    secure: server.tls === 'implicit',
    doSTARTTLS: server.tls === 'starttls',
    ...(server.servername === undefined ? {} : { servername: server.servername }),
    tls: { minVersion: 'TLSv1.2' as const, rejectUnauthorized: true, secureContext: server.secureContext },
    auth: { user: credentials.user, ...secret },
    disableCompression: !server.compress,
    disableAutoIdle: true,
    connectionTimeout: server.connectTimeoutMs,
    greetingTimeout: server.connectTimeoutMs,
    maxLiteralSize: server.maxLiteralBytes,
    maxResponseSize: server.maxLiteralBytes * 2,
    clientInfo: { name: 'imap-broker' },
    // The only place where imapflow tells why a command that it answers with `false` was refused.
    logger: {
      debug: quiet,
      info: quiet,
      error: quiet,
      trace: quiet,
      warn: (entry: { err?: unknown }) => note(entry?.err ?? {}),
    },
  };
}
