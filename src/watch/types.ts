import type { Account } from '../pool/account.js';
import type { BrokerError } from '../protocol/errors.js';
import type { WatchEvent } from '../protocol/events.js';

/** What a watcher needs of an account: a way to run jobs. */
export type AccountHandle = Pick<Account, 'key' | 'run' | 'slots'>;

type Untold<E> = E extends WatchEvent ? Omit<E, 'topic' | 'epoch' | 'seq' | 'at'> : never;

/** What changed in a folder: an event without what the hub adds to it. */
export type MailboxChange = Untold<WatchEvent>;

/** A folder as it is when its watch begins: every change after that is told. */
export interface WatchedMailbox {
  uidValidity: number;
  /** Milliseconds by which a change may be told later than it happens. */
  lagMs: number;
  /** Opaque to the hub. */
  state: string | null;
}

/** What a watcher finds of a folder: null where it is missing, an error where the server cannot open it now. */
export type Found = WatchedMailbox | BrokerError | null;

/** Watches mailboxes of one account at the IMAP server and tells what changed. */
export interface Watcher {
  /**
   * The folders to watch from now on, instead of those of the call before. Resolves when each is watched, known to be
   * missing, or refused. Each answer is the folder's state of now: what happens later is told later. The hub makes one
   * call at a time, for all of its requests; it may abort one and then makes another.
   * @throws BrokerError when the account cannot be reached; those that were watched before still are
   */
  watch(mailboxes: readonly string[], signal: AbortSignal): Promise<ReadonlyMap<string, Found>>;
  /** Whether every folder is watched so well that a change would be told within its `lagMs`. */
  readonly alive: boolean;
  /** Ends it; nothing is told any more. */
  close(): void;
}

/** Begins to watch an account. `tell` may be called at any time until the watcher is closed, never before this returns. */
export type StartWatcher = (account: AccountHandle, tell: (change: MailboxChange) => void) => Watcher;

/** A socket, as the hub knows it. */
export interface Subscriber {
  /** Sends a text frame. */
  send(frame: string): void;
  /** It could not be sent everything: it must not go on as if it had. */
  overrun(): void;
  /** Calls back once when the socket has ended, at once if it has already. */
  onClose(listener: () => void): void;
}

export interface WatchRequest {
  account: AccountHandle;
  subscriber: Subscriber;
  mailboxes: readonly string[];
  signal: AbortSignal;
  /** What the socket has received before: what came then is sent again. */
  resume?: { epoch: string; after: number } | undefined;
}

/** A watch that is known to the watcher and begins with its request's answer. */
export interface Beginning {
  topic: string;
  epoch: string;
  seq: number;
  mailboxes: Array<WatchedMailbox & { mailbox: string }>;
  missing: string[];
  replayed: number;
  resync: boolean;
  /** The request was answered, with a result or not. To be called once, right after that. */
  settle(ok: boolean): void;
}
