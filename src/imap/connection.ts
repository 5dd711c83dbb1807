import { ImapFlow } from 'imapflow';
import { BrokerError } from '../protocol/errors.js';
import type { Trace } from '../runtime/trace.js';
import { connectError, keepsConnection, type Progress } from './failures.js';
import { insideOf } from './flow-inside.js';
import { type Follower, journal } from './flow-journal.js';
import { flowOptions } from './flow-options.js';
import { prepare } from './flow-prepare.js';
import { readingInPlace } from './flow-reader.js';
import { sendTogether } from './flow-together.js';
import { traceCommands } from './flow-trace.js';
import { FlowVerdicts } from './flow-verdicts.js';
import { canonicalName } from './mailbox-names.js';
import { rawExec } from './raw-exec.js';
import { describe, type KnownState, type SelectedMailbox, selectError } from './selected-mailbox.js';
import { type Credentials, type ServerOptions, tokenEnd } from './server-options.js';
import { giveUpIfSilent } from './silence.js';

/** An account's authenticated IMAP connection. Its holder has it alone: the lease is the lock. */
export class ImapConnection {
  readonly id: string;
  readonly server: ServerOptions;
  readonly user: string;
  readonly createdAt = Date.now();
  /** When the access token that it logged in with ends; servers may end the connection then. */
  readonly tokenEndsAt: number | undefined;
  /** Measures the commands for whoever has the connection. */
  trace: Trace | undefined;
  /** Requests whose work it did. */
  served = 0;
  /** Milliseconds that a barrier may go without a byte of an answer before the connection is given up; the pool sets it. */
  patienceMs = Number.POSITIVE_INFINITY;
  /** It was given up because the server was silent: it is half-open, or the server is slow. */
  silent = false;
  readonly #flow: ImapFlow;
  #writesBegun = 0;
  #writesDone = 0;
  readonly #verdicts: FlowVerdicts;
  #loggingOut: Promise<void> | undefined;
  /** Hears of folders that the server tells the counts of, in whatever way. */
  onStatus: ((mailbox: string) => void) | undefined;
  readonly #onClose = new Set<() => void>();
  #follower: Follower | undefined;
  /** The server said NO to nobody in particular since the SELECT: Dovecot does when the folder was replaced by another. */
  #trouble = false;

  private constructor(id: string, server: ServerOptions, credentials: Credentials) {
    this.id = id;
    this.server = server;
    this.user = credentials.user;
    this.tokenEndsAt = tokenEnd(credentials);
    this.#verdicts = new FlowVerdicts(() => this.#flow);
    this.#flow = new ImapFlow(
      flowOptions(
        id,
        server,
        credentials,
        {
          warn: (entry) => this.#verdicts.noteWarning(entry),
          error: (entry) => this.#verdicts.noteError(entry),
        },
        readingInPlace(() => this.#flow),
      ),
    );
    journal(this.#flow, {
      follower: () => this.#follower,
      onStatus: (mailbox) => this.onStatus?.(mailbox),
      onTrouble: () => {
        this.#trouble = true;
      },
    });
    traceCommands(this.#flow, () => this.trace);
    // Without a listener an RST would end the process.
    this.#flow.on('error', (failure: unknown) => this.#verdicts.noteFatal(failure));
    this.#flow.once('close', () => {
      this.#unfollow();
      for (const listener of this.#onClose) listener();
      this.#onClose.clear();
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
    const stop = () => connection.close();
    let late = false;
    const timer = setTimeout(
      () => {
        late = true;
        stop();
      },
      server.connectTimeoutMs * 2 + server.loginTimeoutMs,
    );
    signal?.addEventListener('abort', stop);
    try {
      await connection.#flow.connect();
      connection.#checkLogin();
      return connection;
    } catch (failure) {
      connection.close();
      signal?.throwIfAborted();
      throw connectError(
        late ? { code: 'login timed out' } : (connection.#verdicts.throttled ?? failure),
        server.name,
        credentials,
        connection.#progress,
      );
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', stop);
    }
  }

  get #progress(): Progress {
    const greeted = this.#flow.greeting !== undefined;
    return { greeted, secured: greeted && (this.server.tls !== 'starttls' || this.#flow.secureConnection) };
  }

  /** Whether commands can be sent: not after the server's BYE either, though the socket lives on for a moment. */
  get usable(): boolean {
    return this.#flow.usable && this.#flow.state !== this.#flow.states.LOGOUT;
  }

  /** What the server calls itself in its ID answer (RFC 2971). */
  get serverName(): string | undefined {
    const { name } = (this.#flow.serverInfo ?? {}) as { name?: string };
    return name;
  }

  /** Writes that were sent, and those of them whose success is known. A lease compares before and after. */
  get writes(): { begun: number; done: number } {
    return { begun: this.#writesBegun, done: this.#writesDone };
  }

  get bytes(): { sent: number; received: number } {
    return this.#flow.stats();
  }

  /** What ended the connection, in few words; `undefined` where this side did. */
  get endedBy(): string | undefined {
    const { code, name } = (this.#verdicts.fatal ?? {}) as NodeJS.ErrnoException;
    return this.#flow.byeReason === undefined || this.#loggingOut ? (code ?? name) : 'BYE';
  }

  /** Whether an extension was switched on by ENABLE (RFC 5161), in upper case. */
  enabled(extension: string): boolean {
    return this.#flow.enabled.has(extension);
  }

  /** Whether the server offers a capability, in upper case but for `IMAP4rev2`: for instance `UIDPLUS`. */
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

  /** Calls the listener once when the connection ends, at once if it has ended. @returns a function that ends this */
  onClose(listener: () => void): () => void {
    if (this.#flow.isClosed) listener();
    else this.#onClose.add(listener);
    return () => this.#onClose.delete(listener);
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
    if (!this.usable) throw this.#verdicts.lost().withExecuted('no');
    this.#verdicts.clear();
    if (effect === 'write') this.#writesBegun += 1;
    let result: T;
    try {
      result = await call(this.#flow);
    } catch (failure) {
      throw this.#failed(failure);
    }
    if (result === false || result === undefined) throw this.#hiddenFailure();
    // Not `usable`: an answer that came with a BYE behind it has come.
    if (!this.#flow.usable) throw this.#verdicts.lost();
    if (effect === 'write') this.#writesDone += 1;
    return result as Exclude<T, false | undefined>;
  }

  /**
   * Sends the first commands of what is begun in one packet: one round trip in place of one for each. They must not have
   * literals, and none may depend on the answer of another.
   */
  together<T>(begin: () => T): T {
    return sendTogether(this.#flow, begin);
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
    const expected = options.uidValidity;
    const kept = this.selected?.path === path && !this.#trouble && (!options.fresh || (await this.refresh()));
    // A kept selection may be of a folder that bore the name before.
    const same = expected === undefined || expected === this.selected?.uidValidity;
    if (!kept || !same) await this.#open(path);
    const { selected } = this;
    if (!selected) throw this.#verdicts.lost();
    if (expected !== undefined && expected !== selected.uidValidity) {
      throw new BrokerError(
        'STATE_CHANGED',
        `uidValidity: the folder "${path}" has ${selected.uidValidity} now, not ${expected}; list it again.`,
        { field: 'uidValidity' },
      );
    }
    return selected;
  }

  /**
   * Selects a folder anew and lets somebody follow it from the first line on, which is where QRESYNC tells what has
   * changed since a known state. Who followed before has lost it.
   * @throws BrokerError NOT_FOUND
   */
  async follow(mailbox: string, follower: Follower, known?: KnownState): Promise<SelectedMailbox> {
    const path = canonicalName(mailbox);
    await this.#open(path, follower, known);
    const { selected } = this;
    if (!selected) throw this.#verdicts.lost();
    return selected;
  }

  /** Whether this one follows what is selected now. */
  isFollowedBy(follower: Follower): boolean {
    return this.usable && this.#follower === follower;
  }

  /** Whether the server has said NO to nobody in particular since the SELECT: then what it tells may be of another folder. */
  get troubled(): boolean {
    return this.#trouble;
  }

  /** Tells this one nothing any more; somebody else who follows goes on. */
  unfollow(follower: Follower): void {
    if (this.#follower === follower) this.#unfollow();
  }

  #unfollow(): void {
    const follower = this.#follower;
    this.#follower = undefined;
    follower?.onLost();
  }

  async #open(path: string, follower?: Follower, known?: KnownState): Promise<void> {
    this.#unfollow();
    this.#follower = follower;
    this.#trouble = false;
    // Else imapflow sends a LIST first, in which a `*` of the name is a wildcard.
    const { folders } = insideOf(this.#flow);
    folders.clear();
    folders.set(path, { path });
    const since = known && { uidValidity: BigInt(known.uidValidity), changedSince: known.modseq };
    await this.command('read', (flow) => flow.mailboxOpen(path, since)).catch((failure: unknown) => {
      this.#unfollow();
      throw selectError(failure, path);
    });
  }

  /** One round trip that changes nothing; delivers what is pending. */
  async noop(): Promise<void> {
    await this.command('read', async (flow) => {
      await flow.noop();
      // imapflow's noop never tells how it ended.
      return this.#verdicts.clean;
    });
  }

  /**
   * Whether no command is on the wire, and no answer waits for somebody to take it: work that left one behind must not
   * lend its connection to the next.
   */
  get quiet(): boolean {
    const { requestTagMap, parkedRelease } = insideOf(this.#flow);
    return requestTagMap.size === 0 && !parkedRelease;
  }

  /** Leaves the selected folder so that it can be deleted or renamed without the server ending the connection. */
  async unselect(): Promise<void> {
    if (!this.selected) return;
    this.#unfollow();
    this.#trouble = false;
    if (!this.has('UNSELECT') && !this.has('IMAP4rev2')) {
      // A CLOSE after SELECT would expunge what other clients marked as deleted; after EXAMINE it does not.
      const { path } = this.selected;
      await this.command('read', (flow) => flow.mailboxOpen(path, { readOnly: true }));
    }
    await this.command('read', (flow) => insideOf(flow).run('CLOSE', { unselect: true }));
  }

  /** Says LOGOUT and waits for the end, at most so long; then closes hard. Never rejects. */
  logout(timeoutMs: number): Promise<void> {
    this.#loggingOut ??= this.#logout(timeoutMs);
    return this.#loggingOut;
  }

  async #logout(timeoutMs: number): Promise<void> {
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

  /**
   * The barrier that delivers what other clients changed in the selected folder.
   * @returns false when the server refuses: the folder is not what it was, and what it told meanwhile means nothing
   */
  async refresh(): Promise<boolean> {
    // When the folder was renamed, deleted or replaced elsewhere Cyrus answers NO, and Dovecot OK behind an untagged NO.
    const attended = giveUpIfSilent(this);
    try {
      await rawExec(this, 'read', 'NOOP');
    } catch (failure) {
      if (!this.usable) throw failure;
      this.#trouble = true;
    } finally {
      attended();
    }
    if (this.#trouble) this.#unfollow();
    return !this.#trouble;
  }

  /** @throws BrokerError UPSTREAM_UNAVAILABLE when imapflow is content although nobody proved anything */
  #checkLogin(): void {
    if (!this.usable)
      throw connectError(this.#verdicts.fatal ?? { code: 'it closed the connection' }, this.server.name);
    // A server that greets with PREAUTH never looks at the credentials, so any would do.
    const proven = [...insideOf(this.#flow).authCapabilities.values()].some((used) => used);
    if (!proven) throw connectError({ code: 'it asks for no credentials' }, this.server.name);
    prepare(this.#flow);
    this.#verdicts.opened();
  }

  #failed(failure: unknown): BrokerError {
    if (failure instanceof BrokerError) return failure;
    const error = this.#verdicts.failed(failure, this.usable);
    if (!keepsConnection(error)) this.close();
    return error;
  }

  #hiddenFailure(): BrokerError {
    const error = this.usable ? this.#verdicts.hidden() : this.#verdicts.lost();
    if (error) return error;
    this.close();
    return new BrokerError('INTERNAL', 'An IMAP command ended without a result.', { executed: 'maybe' });
  }
}
