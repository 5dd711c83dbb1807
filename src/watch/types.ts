import type { Account } from '../pool/account.js';
import type { BrokerError } from '../protocol/errors.js';
import type { WatchEvent } from '../protocol/events.js';
import type { Field } from '../protocol/rows.js';

/** What a watcher needs from an account: a way to run jobs. */
export type AccountHandle = Pick<Account, 'key' | 'run' | 'slots'>;

type Untold<E> = E extends WatchEvent ? Omit<E, 'topic' | 'epoch' | 'seq' | 'at'> : never;

/** Stands for the folders of the account themselves among the names of watched folders; no folder has it. */
export const ALL_FOLDERS = '';

/** A change in a folder, or of the folders: an event without the fields that the hub adds. */
export type MailboxChange = Untold<WatchEvent>;

/** The state of a folder when its watch begins: every later change is reported. */
export interface WatchedMailbox {
  uidValidity: number;
  /** Most milliseconds between a change and its report. */
  lagMs: number;
  /** Opaque to the hub. */
  state: string | null;
}

/** A folder as a watcher finds it: null where it is missing, an error where the server cannot open it now. */
export type Found = WatchedMailbox | BrokerError | null;

/** Watches mailboxes of one account at the IMAP server and reports their changes. */
export interface Watcher {
  /**
   * The folders to watch from now on, instead of those of the previous call. Resolves when each folder is watched,
   * known to be missing, or refused. The result is each folder's current state: later changes are reported as events.
   * The hub makes one call at a time, for all of its requests; it may abort a call and then make another.
   * @throws BrokerError when the account cannot be reached; folders that were watched before are still watched
   */
  watch(mailboxes: readonly string[], signal: AbortSignal): Promise<ReadonlyMap<string, Found>>;
  /**
   * Reports the changes of folders up to now. Resolves within seconds, also where the server does not answer: what is
   * missing is reported later then.
   */
  catchUp(mailboxes: readonly string[]): Promise<void>;
  /** Members of the rows of new messages from now on. */
  want(fields: readonly Field[]): void;
  /** This account has written to folders themselves; with `rename`, it is about to rename one and will call again. */
  foldersWritten(rename?: { from: string; to: string }): void;
  /** Whether a change in any of the folders would be reported within its `lagMs`, as far as is known. */
  readonly alive: boolean;
  /** Ends the watcher; no change is reported any more. */
  close(): void;
}

/** Takes a change. @param fields members that the rows of new messages have; without it the default ones */
export type Tell = (change: MailboxChange, fields?: readonly Field[]) => void;

/** Begins to watch an account. `tell` may be called after this function has returned, until the watcher is closed. */
export type StartWatcher = (account: AccountHandle, tell: Tell) => Watcher;

/** A socket, as the hub knows it. */
export interface Subscriber {
  /** Sends a text frame. */
  send(frame: string): void;
  /** Some events could not be sent: the socket must not go on as if it had all. */
  overrun(): void;
  /** Calls the listener once when the socket is closed, at once if it is closed already. */
  onClose(listener: () => void): void;
}

export interface WatchRequest {
  account: AccountHandle;
  subscriber: Subscriber;
  mailboxes: readonly string[];
  /** Members of the rows of new messages in these folders, beside those that the socket asked for before. */
  fields: readonly Field[];
  signal: AbortSignal;
  /** The last event that the client has received: later events are sent again. */
  resume?: { epoch: string; after: number } | undefined;
}

/** A watch that the watcher has started and that begins for the socket with the request's answer. */
export interface Beginning {
  topic: string;
  epoch: string;
  seq: number;
  mailboxes: Array<WatchedMailbox & { mailbox: string }>;
  missing: string[];
  replayed: number;
  resync: boolean;
  /** To be called once, right after the request was answered. @param ok whether the answer is a result */
  settle(ok: boolean): void;
}
