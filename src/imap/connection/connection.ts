import { BrokerError } from '../../protocol/errors.js';
import { protocolLimits } from '../../protocol/limits.js';
import type { Trace } from '../../runtime/trace.js';
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
import { CapabilityList } from './capability-list.js';
import type { Commands, ExecOptions, Unreadable } from './commands.js';
import type { Follower } from './follower.js';
import { isAboutStatus, refreshSelected } from './refresh.js';
import { isOfFolderBefore, selectError } from './refused-folder.js';
import type { KnownState, SelectedMailbox } from './selected-mailbox.js';
import { Selection } from './selection.js';
import { giveUpIfSilent } from './silence.js';

/** So many unreadable responses of a connection are told; the same mail is unreadable each time. */
const MOST_UNREADABLE = 20;
/** Octets in modified UTF-7 of a folder that a request could name; to decode a name of 10 MB takes seconds. */
const MOST_NAME_OCTETS = 5 * protocolLimits.mailboxNameLength;

/** An account's authenticated IMAP connection. Its holder has it alone: the lease is the lock. */
export class ImapConnection implements Commands {
  readonly id: string;
  readonly server: ServerOptions;
  readonly user: string;
  readonly createdAt = Date.now();
  /** When the access token that it logged in with ends; servers may end the connection then. */
  readonly tokenEndsAt: number | undefined;
  /** What the server calls itself in its ID answer (RFC 2971). */
  readonly serverName: string | undefined;
  readonly namespaces: LoggedIn['namespaces'];
  /** Measures the commands for the request that has the connection. */
  trace: Trace | undefined;
  /** Requests whose work it did. */
  served = 0;
  /** Milliseconds that a barrier may go without a byte of an answer before the connection is given up; the pool sets it. */
  patienceMs = Number.POSITIVE_INFINITY;
  /** It was given up because the server was silent: it is half-open, or the server is slow. */
  silent = false;
  /** Hears of folders that the server tells the counts of, in whatever way. */
  onStatus: ((mailbox: string) => void) | undefined;
  /** Hears of responses that could not be read. */
  onUnreadable: ((what: Unreadable) => void) | undefined;
  readonly #wire: Wire;
  readonly #loginBytes: LoggedIn['bytes'];
  readonly #carrier: LoggedIn['carrier'];
  readonly #names: MailboxEncoding;
  readonly #capabilities: CapabilityList;
  readonly #selection = new Selection();
  readonly #onClose = new Set<() => void>();
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
    this.namespaces = loggedIn.namespaces;
    this.#carrier = loggedIn.carrier;
    this.#loginBytes = loggedIn.bytes;
    this.#capabilities = new CapabilityList(loggedIn.capabilities);
    this.#names = new MailboxEncoding(this.#capabilities.isRev2Only);
    const { maxLiteralBytes } = server;
    const options = { maxLiteralBytes, names: this.#names, eagerLiterals: this.#capabilities.eagerLiterals };
    this.#wire = new Wire(loggedIn.carrier, options, {
      onUntagged: (response) => this.#hear(response),
      onUnreadable: ({ keyword }) => this.noteUnreadable({ response: keyword }),
      onCommand: (name, ms) => this.trace?.command(name, ms),
      onEnd: () => this.#ended(),
    });
    this.#wire.begin(loggedIn.rest);
  }

  /**
   * Connects, secures, logs in and switches on what the broker uses. On failure or abort nothing is left open.
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

  /** Whether commands can be sent: not after the server's BYE either, though the socket lives on for a moment. */
  get usable(): boolean {
    return this.#wire.usable;
  }

  /** Writes that were sent, and those of them whose success is known. A lease compares before and after. */
  get writes(): { begun: number; done: number } {
    return { begun: this.#writesBegun, done: this.#writesDone };
  }

  get bytes(): { sent: number; received: number } {
    const { sent, received } = this.#wire.bytes;
    return { sent: sent + this.#loginBytes.sent, received: received + this.#loginBytes.received };
  }

  /** What ended the connection, in few words; `undefined` where this side did. */
  get endedBy(): string | undefined {
    return this.#wire.endedBy;
  }

  /** Whether an extension was switched on by ENABLE (RFC 5161), in upper case. */
  enabled(extension: string): boolean {
    return this.#capabilities.enabled.has(extension);
  }

  /** Whether the server offers a capability, in upper case but for `IMAP4rev2`: for instance `UIDPLUS`. */
  has(capability: string): boolean {
    return this.#capabilities.offered.has(capability);
  }

  get capabilities(): ReadonlyMap<string, boolean | number> {
    return this.#capabilities.offered;
  }

  get selected(): SelectedMailbox | undefined {
    return this.#selection.selected;
  }

  /** A folder name that the server told, in Unicode; one that no request could name stays as it was told. */
  nameOf(attribute: ImapAttribute | undefined): string {
    const name = textOf(attribute);
    return name.length > MOST_NAME_OCTETS ? name : this.#names.decode(name);
  }

  /** Calls the listener once when the connection ends, at once if it has ended. @returns a function that ends this */
  onClose(listener: () => void): () => void {
    if (this.#wire.ended) listener();
    else this.#onClose.add(listener);
    return () => this.#onClose.delete(listener);
  }

  /**
   * Sends a command and waits for its end.
   * @param untagged takes untagged responses by keyword in upper case
   * @throws BrokerError IMAP_NO, NOT_FOUND or UPSTREAM_UNAVAILABLE with the server's words, CONNECTION_LOST, TOO_LARGE,
   * INVALID_PARAMS for what cannot be sent; and what a handler throws, once the command is done
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
      return ok;
    } catch (failure) {
      throw isOfFolderBefore(name, failure) ? this.#endSession(failure) : failure;
    }
  }

  /** The server goes on refusing a folder in this session alone: another session opens what is there. */
  #endSession(failure: unknown): BrokerError {
    const lost = connectionLost(failure);
    this.giveUp(lost);
    return lost;
  }

  /**
   * Sends the commands that `begin` begins at once in one packet: one round trip in place of one for each. They must not
   * have literals, and none may depend on the answer of another.
   */
  together<T>(begin: () => T): T {
    return this.#wire.together(begin);
  }

  /** Ends the IDLE under way, in one packet with the commands that `begin` begins at once. */
  behindIdle<T>(begin: () => T): T {
    return this.#wire.endIdle(begin);
  }

  /**
   * Selects a folder, or keeps the selection when it is there already; then, if `fresh`, one NOOP is the barrier that
   * delivers what other clients changed.
   * @throws BrokerError NOT_FOUND, IMAP_NO, or STATE_CHANGED when `uidValidity` is given and another one holds
   */
  async select(
    mailbox: string,
    options: { fresh?: boolean; uidValidity?: number | undefined } = {},
  ): Promise<SelectedMailbox> {
    const path = canonicalName(mailbox);
    const expected = options.uidValidity;
    const kept = this.selected?.path === path && !this.troubled && (!options.fresh || (await this.refresh()));
    // A kept selection may be of a folder that bore the name before.
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
   * Selects a folder anew and lets a follower hear of it from the first line on, which is where QRESYNC tells what has
   * changed since a known state. The follower before has lost it.
   * @throws BrokerError NOT_FOUND, IMAP_NO
   */
  async follow(mailbox: string, follower: Follower, known?: KnownState): Promise<SelectedMailbox> {
    return this.#open(canonicalName(mailbox), follower, known);
  }

  /** Whether this follower hears of what is selected now. */
  isFollowedBy(follower: Follower): boolean {
    return this.usable && this.#selection.isFollowedBy(follower);
  }

  /** Whether the server has said NO to nothing in particular since the SELECT: then what it tells may be of another folder. */
  get troubled(): boolean {
    return this.#selection.troubled;
  }

  /** Tells this follower nothing any more; another one goes on. */
  unfollow(follower: Follower): void {
    if (this.#selection.isFollowedBy(follower)) this.#selection.unfollow();
  }

  async #open(path: string, follower?: Follower, known?: KnownState): Promise<SelectedMailbox> {
    this.#selection.begin(path, follower);
    const args: ImapArgument[] = [mailboxName(path)];
    if (known && this.enabled('QRESYNC')) {
      args.push([atom('QRESYNC'), [atom(String(known.uidValidity)), atom(String(known.modseq))]]);
    }
    const ok = await this.exec('read', 'SELECT', args).catch((failure: unknown) => {
      this.#selection.clear();
      throw selectError(failure, path);
    });
    return this.#selection.finish(ok);
  }

  /** One round trip that changes nothing; delivers what is pending. */
  async noop(): Promise<void> {
    await this.exec('read', 'NOOP');
  }

  /** Whether no command is on the wire: work that left one behind must not lend its connection to the next. */
  get quiet(): boolean {
    return this.#wire.quiet;
  }

  /** Leaves the selected folder so that it can be deleted or renamed without the server ending the connection. */
  async unselect(): Promise<void> {
    const { selected } = this;
    if (!selected) return;
    this.#selection.clear();
    if (this.has('UNSELECT') || this.has('IMAP4rev2')) {
      await this.exec('read', 'UNSELECT');
      return;
    }
    // A CLOSE after SELECT would expunge what other clients marked as deleted; after EXAMINE it does not.
    try {
      await this.exec('read', 'EXAMINE', [mailboxName(selected.path)]);
    } catch (failure) {
      // Refused where the folder is gone, and then nothing is selected any more (RFC 3501 section 6.3.1).
      if (this.usable && failure instanceof BrokerError) return;
      throw failure;
    }
    await this.exec('read', 'CLOSE');
  }

  /**
   * The barrier that delivers what other clients changed in the selected folder.
   * @returns false when the folder is not what it was, so that what the server told meanwhile means nothing
   */
  async refresh(): Promise<boolean> {
    const attended = giveUpIfSilent(this);
    const same = await refreshSelected(this).finally(attended);
    if (!same) this.#selection.troubled = true;
    if (this.troubled) this.#selection.unfollow();
    return !this.troubled;
  }

  /** A response could not be read, which costs nothing but itself. */
  noteUnreadable(what: Omit<Unreadable, 'mailbox'>): void {
    this.#unreadable += 1;
    if (this.#unreadable <= MOST_UNREADABLE) this.onUnreadable?.({ mailbox: this.selected?.path, ...what });
  }

  /** Says LOGOUT and waits for the end, at most so long; then closes hard. Never rejects. */
  logout(timeoutMs: number): Promise<void> {
    this.#loggingOut ??= this.#logout(timeoutMs);
    return this.#loggingOut;
  }

  async #logout(timeoutMs: number): Promise<void> {
    if (this.usable) {
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, timeoutMs);
      });
      await Promise.race([this.#wire.logout(), late]);
      clearTimeout(timer);
    }
    this.close();
  }

  /** Closes the socket at once; commands under way reject. */
  close(): void {
    this.#wire.close();
  }

  /** Closes it because the server sends more than can be taken. */
  giveUp(error: BrokerError): void {
    this.#wire.close(error);
  }

  #hear(response: UntaggedResponse): void {
    const { keyword, attributes, status } = response;
    if (keyword === 'STATUS') {
      const name = this.nameOf(attributes[0]);
      // Of the selected folder it is the answer of a barrier.
      if (name !== this.selected?.path) this.onStatus?.(name);
    } else if (keyword === 'CAPABILITY') {
      this.#capabilities.replace(attributes);
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
    // Refused by servers that offer it all the same: the connection is as good without.
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
