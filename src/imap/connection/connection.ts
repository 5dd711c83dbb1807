import { BrokerError } from '../../protocol/errors.js';
import { protocolLimits } from '../../protocol/limits.js';
import { putLast } from '../../runtime/put-last.js';
import type { Trace } from '../../runtime/trace.js';
import { atMost } from '../../runtime/wait.js';
import { connectError } from '../login/failures.js';
import { type LoggedIn, logIn } from '../login/login.js';
import { type Credentials, type ServerOptions, tokenEnd } from '../login/server-options.js';
import type { UntaggedHandler } from '../wire/command.js';
import { DeflateCarrier } from '../wire/deflate.js';
import { connectionLost } from '../wire/errors.js';
import { MailboxEncoding } from '../wire/mailbox-encoding.js';
import { canonicalName } from '../wire/mailbox-names.js';
import type { StatusText, UntaggedResponse } from '../wire/response.js';
import { atom, type ImapArgument, type ImapAttribute, mailboxName, textOf } from '../wire/tokens.js';
import { Wire } from '../wire/wire.js';
import { CapabilityList, offersModseqs } from './capability-list.js';
import type { Commands, ExecOptions, Unreadable } from './commands.js';
import type { Follower } from './follower.js';
import { notOverlooked } from './overlooked-folder.js';
import { isAboutStatus, refreshSelected } from './refresh.js';
import { isOfFolder, isOfFolderBefore, selectError } from './refused-folder.js';
import type { KnownState, SelectedMailbox } from './selected-mailbox.js';
import { Selection } from './selection.js';
import { giveUpIfSilent } from './silence.js';
import { unselectFolder } from './unselect.js';

/** Most unreadable responses of a connection that are reported; the same mail is unreadable each time. */
const MOST_UNREADABLE = 20;
/** Most folders of which a session remembers that it has seen them. */
const MOST_SEEN = 100;
/** Longest folder name in modified UTF-7 that is decoded, in octets: decoding a name of 10 MB takes seconds. */
const MOST_NAME_OCTETS = 5 * protocolLimits.mailboxNameLength;

/** An account's authenticated IMAP connection. Only the holder of its lease uses it: the lease is the lock. */
export class ImapConnection implements Commands {
  readonly id: string;
  readonly server: ServerOptions;
  readonly user: string;
  readonly createdAt = Date.now();
  /** When the access token of the login expires; servers may end the connection then. */
  readonly tokenEndsAt: number | undefined;
  /** The server software, by its ID response (RFC 2971) or its greeting: see {@link LoggedIn}. */
  readonly serverName: string | undefined;
  /** The fields of its ID response. */
  readonly software: LoggedIn['software'];
  readonly namespaces: LoggedIn['namespaces'];
  /** Measures the commands for the request that has the connection. */
  trace: Trace | undefined;
  /** Number of jobs that ran on the connection. */
  served = 0;
  /** Milliseconds without a byte from the server after which a barrier gives the connection up; set by the pool. */
  patienceMs = Number.POSITIVE_INFINITY;
  /** Whether the connection was closed because the server was silent: half-open, or the server is slow. */
  silent = false;
  /** Called for each untagged STATUS of a folder that is not selected. */
  onStatus: ((mailbox: string) => void) | undefined;
  /** Called for each untagged LIST, which may tell that folders have changed (RFC 5465 section 5.4). */
  onListed: (() => void) | undefined;
  /** Called before anything that the server has sent is acted on; it may end the connection. */
  beforeInput: (() => void) | undefined;
  /** Called for each command that is over. */
  onCommand: (() => void) | undefined;
  /** Called for responses that could not be read. */
  onUnreadable: ((what: Unreadable) => void) | undefined;
  readonly #wire: Wire;
  readonly #loginBytes: LoggedIn['bytes'];
  readonly #carrier: LoggedIn['carrier'];
  readonly #names: MailboxEncoding;
  readonly #capabilities: CapabilityList;
  readonly #selection = new Selection();
  readonly #onClose = new Set<() => void>();
  /** Folders that this session has opened or counted, the latest last. */
  readonly #seen = new Map<string, true>();
  #writesBegun = 0;
  #writesDone = 0;
  #unreadable = 0;
  #loggingOut: Promise<void> | undefined;

  private constructor(id: string, server: ServerOptions, credentials: Credentials, loggedIn: LoggedIn) {
    this.id = id;
    this.server = server;
    this.user = credentials.user;
    this.tokenEndsAt = tokenEnd(credentials);
    this.serverName = loggedIn.serverName;
    this.software = loggedIn.software;
    this.namespaces = loggedIn.namespaces;
    this.#carrier = loggedIn.carrier;
    this.#loginBytes = loggedIn.bytes;
    this.#capabilities = new CapabilityList(loggedIn.capabilities);
    this.#names = new MailboxEncoding(this.#capabilities.isRev2Only);
    const { maxLiteralBytes } = server;
    const options = { maxLiteralBytes, names: this.#names, eagerLiterals: this.#capabilities.eagerLiterals };
    this.#wire = new Wire(loggedIn.carrier, options, {
      onInput: () => this.beforeInput?.(),
      onUntagged: (response) => this.#hear(response),
      onUnreadable: ({ keyword }) => this.noteUnreadable({ response: keyword }),
      onCommand: (name, ms) => {
        this.trace?.command(name, ms);
        this.onCommand?.();
      },
      onRoundTrip: () => this.trace?.roundTrip(),
      onEnd: () => this.#ended(),
    });
    this.#wire.begin(loggedIn.rest);
  }

  /**
   * Connects, secures, logs in and enables the extensions that the broker uses. On failure or abort nothing stays open.
   * @throws BrokerError UPSTREAM_UNAVAILABLE, IMAP_AUTH_FAILED or the signal's reason
   */
  static async open(
    id: string,
    server: ServerOptions,
    credentials: Credentials,
    signal?: AbortSignal,
  ): Promise<ImapConnection> {
    const connection = new ImapConnection(id, server, credentials, await logIn(id, server, credentials, signal));
    const stop = () => connection.close();
    const timer = setTimeout(stop, server.loginTimeoutMs);
    signal?.addEventListener('abort', stop);
    try {
      await connection.#enable();
      if (server.compress) await connection.#compress();
      if (connection.usable) return connection;
      throw connection.#wire.lost();
    } catch (failure) {
      connection.close();
      signal?.throwIfAborted();
      const { message, imap } = failure as BrokerError;
      const reply = imap && { responseStatus: imap.status, responseText: imap.text, serverResponseCode: imap.code };
      throw connectError({ code: message, ...reply }, server.name, credentials);
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', stop);
    }
  }

  /** Whether commands can be sent; false from the server's BYE on, although the socket is open a moment longer. */
  get usable(): boolean {
    return this.#wire.usable;
  }

  /** Number of writes that were sent, and of those known to have succeeded. A lease compares before and after. */
  get writes(): { begun: number; done: number } {
    return { begun: this.#writesBegun, done: this.#writesDone };
  }

  get bytes(): { sent: number; received: number } {
    const { sent, received } = this.#wire.bytes;
    return { sent: sent + this.#loginBytes.sent, received: received + this.#loginBytes.received };
  }

  /** Why the connection ended, in short; `undefined` where the broker closed it. */
  get endedBy(): string | undefined {
    return this.#wire.endedBy;
  }

  /** Whether an extension, named in upper case, was enabled (RFC 5161). */
  enabled(extension: string): boolean {
    return this.#capabilities.enabled.has(extension);
  }

  /** Whether the server offers a capability, named in upper case except `IMAP4rev2`: for instance `UIDPLUS`. */
  has(capability: string): boolean {
    return this.#capabilities.offered.has(capability);
  }

  get capabilities(): ReadonlyMap<string, boolean | number> {
    return this.#capabilities.offered;
  }

  get selected(): SelectedMailbox | undefined {
    return this.#selection.selected;
  }

  /** A folder name from the server, in Unicode; a name too long for any request stays as the server sent it. */
  nameOf(attribute: ImapAttribute | undefined): string {
    const name = textOf(attribute);
    return name.length > MOST_NAME_OCTETS ? name : this.#names.decode(name);
  }

  /** Calls the listener once when the connection ends, at once if it has ended. @returns removes the listener */
  onClose(listener: () => void): () => void {
    if (this.#wire.ended) listener();
    else this.#onClose.add(listener);
    return () => this.#onClose.delete(listener);
  }

  /**
   * Sends a command and waits for its end.
   * @param untagged takes untagged responses by keyword in upper case
   * @throws BrokerError IMAP_NO, NOT_FOUND or UPSTREAM_UNAVAILABLE with the server's words, CONNECTION_LOST, TOO_LARGE,
   * INVALID_PARAMS for arguments that cannot be sent; and what a handler throws, once the command is done
   */
  async exec(
    effect: 'read' | 'write',
    name: string,
    args: readonly ImapArgument[] = [],
    untagged: Readonly<Record<string, UntaggedHandler>> = {},
    options: ExecOptions = {},
  ): Promise<StatusText> {
    if (!this.usable) throw this.#wire.lost().withExecuted('no');
    const done = this.#wire.exec({ name, args, untagged, ...options });
    if (effect === 'write') this.#writesBegun += 1;
    try {
      const ok = await done;
      if (effect === 'write') this.#writesDone += 1;
      if (isOfFolder(name)) putLast(this.#seen, JSON.stringify(args[0]), true, MOST_SEEN);
      return ok;
    } catch (failure) {
      const stale = isOfFolder(name) && isOfFolderBefore(failure) && this.#seen.has(JSON.stringify(args[0]));
      throw stale ? this.#endSession(failure) : failure;
    }
  }

  /** Ends a session in which the server keeps refusing a folder: a new session can open the folder of that name. */
  #endSession(failure: unknown): BrokerError {
    const lost = connectionLost(failure);
    this.giveUp(lost);
    return lost;
  }

  /**
   * Sends all commands that `begin` starts synchronously in one packet: one round trip instead of one per command. The
   * commands must not have literals, and none may depend on the response of another.
   */
  together<T>(begin: () => T): T {
    return this.#wire.together(begin);
  }

  /** Ends the IDLE under way, in one packet with the commands that `begin` starts synchronously. */
  behindIdle<T>(begin: () => T): T {
    return this.#wire.endIdle(begin);
  }

  /**
   * Selects a folder, or keeps the selection when the folder is selected already; then, if `fresh`, one NOOP is the
   * barrier that delivers the changes of other clients.
   * @throws BrokerError NOT_FOUND, IMAP_NO, or STATE_CHANGED when the folder's UIDVALIDITY differs from `uidValidity`
   */
  async select(
    mailbox: string,
    { fresh, uidValidity: expected }: { fresh?: boolean; uidValidity?: number | undefined } = {},
  ): Promise<SelectedMailbox> {
    const path = canonicalName(mailbox);
    const kept = this.selected?.path === path && !this.troubled && (!fresh || (await this.refresh()));
    // A kept selection may be of an earlier folder of the same name.
    const same = expected === undefined || expected === this.selected?.uidValidity;
    const selected = kept && same && this.selected ? this.selected : await this.#open(path);
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
   * Selects a folder anew with a follower that gets the untagged responses from the first line on, in which QRESYNC
   * reports the changes since a known state. The previous follower is told that it has lost the folder.
   * @throws BrokerError NOT_FOUND, IMAP_NO
   */
  async follow(mailbox: string, follower: Follower, known?: KnownState): Promise<SelectedMailbox> {
    return this.#open(canonicalName(mailbox), follower, known);
  }

  /** Whether this follower follows the selected folder. */
  isFollowedBy(follower: Follower): boolean {
    return this.usable && this.#selection.isFollowedBy(follower);
  }

  /** Whether an untagged NO or BAD came since the SELECT: later responses may be of another folder. */
  get troubled(): boolean {
    return this.#selection.troubled;
  }

  /** Ends the following by this follower; does nothing if another one follows. */
  unfollow(follower: Follower): void {
    if (this.#selection.isFollowedBy(follower)) this.#selection.unfollow();
  }

  async #open(path: string, follower?: Follower, known?: KnownState): Promise<SelectedMailbox> {
    this.#selection.begin(path, follower);
    const args: ImapArgument[] = [mailboxName(path)];
    if (known && this.enabled('QRESYNC')) {
      args.push([atom('QRESYNC'), [atom(String(known.uidValidity)), atom(String(known.modseq))]]);
    }
    const select = () => this.exec('read', 'SELECT', args);
    const ok = await notOverlooked(this, path, select).catch((failure: unknown) => {
      this.#selection.clear();
      throw selectError(failure, path);
    });
    return this.#selection.finish(ok, offersModseqs(this));
  }

  /** A command that is sent now leaves the selected folder: until the next SELECT none counts as selected. */
  leave(): void {
    this.#selection.clear();
  }

  /** One round trip that changes nothing; delivers pending untagged responses. */
  async noop(): Promise<void> {
    await this.exec('read', 'NOOP');
  }

  /** Whether no command is on the wire: a connection with an unfinished command must not be lent again. */
  get quiet(): boolean {
    return this.#wire.quiet;
  }

  /** Leaves the selected folder so that it can be deleted or renamed without the server ending the connection. */
  async unselect(): Promise<void> {
    const { selected } = this;
    this.#selection.clear();
    if (selected) await unselectFolder(this, selected.path);
  }

  /**
   * The barrier that delivers the changes of other clients in the selected folder.
   * @returns false when the folder was deleted, renamed or replaced, so that what the server reported does not count
   */
  async refresh(): Promise<boolean> {
    const attended = giveUpIfSilent(this);
    const same = await refreshSelected(this).finally(attended);
    if (!same) this.#selection.troubled = true;
    if (this.troubled) this.#selection.unfollow();
    return !this.troubled;
  }

  /** Reports a response that could not be read; the connection goes on. */
  noteUnreadable(what: Omit<Unreadable, 'mailbox'>): void {
    this.#unreadable += 1;
    if (this.#unreadable <= MOST_UNREADABLE) this.onUnreadable?.({ mailbox: this.selected?.path, ...what });
  }

  /** Sends LOGOUT and waits for the end, at most `timeoutMs`; then closes the socket. Never rejects. */
  logout(timeoutMs: number): Promise<void> {
    this.#loggingOut ??= this.#logout(timeoutMs);
    return this.#loggingOut;
  }

  async #logout(timeoutMs: number): Promise<void> {
    if (this.usable) await atMost(timeoutMs, (onEnd) => void this.#wire.logout().then(onEnd, onEnd));
    this.close();
  }

  /** Closes the socket at once; commands under way reject. */
  close(): void {
    this.#wire.close();
  }

  /** Closes the connection for a fault of the server; commands under way reject with the error. */
  giveUp(error: BrokerError): void {
    this.#wire.close(error);
  }

  #hear(response: UntaggedResponse): void {
    const { keyword, attributes, status } = response;
    if (keyword === 'STATUS') {
      const name = this.nameOf(attributes[0]);
      // A STATUS of the selected folder is the answer to a barrier.
      if (name !== this.selected?.path) this.onStatus?.(name);
    } else if (keyword === 'CAPABILITY') {
      this.#capabilities.replace(attributes);
    } else if (keyword === 'LIST') {
      this.onListed?.();
    } else if (!(status && (keyword === 'NO' || keyword === 'BAD') && isAboutStatus(this, status.text))) {
      this.#selection.note(response);
    }
  }

  #ended(): void {
    this.#selection.clear();
    for (const listener of this.#onClose) listener();
    this.#onClose.clear();
  }

  async #enable(): Promise<void> {
    const wanted = this.#capabilities.toEnable;
    if (wanted.length === 0) return;
    const ENABLED: UntaggedHandler = ({ attributes }) => this.#capabilities.noteEnabled(attributes);
    // Some servers offer ENABLE and then refuse it: the connection works without.
    await this.exec('read', 'ENABLE', wanted.map(atom), { ENABLED }).catch((failure: unknown) => {
      if (!this.usable) throw failure;
    });
  }

  async #compress(): Promise<void> {
    if (!this.has('COMPRESS=DEFLATE')) return;
    let offered = true;
    await this.exec('read', 'COMPRESS', [atom('DEFLATE')]).catch((failure: unknown) => {
      if (!this.usable) throw failure;
      offered = false;
    });
    if (offered) this.#wire.carryBy(new DeflateCarrier(this.#carrier));
  }
}
