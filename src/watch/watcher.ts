import { setMaxListeners } from 'node:events';
import { type Stamp, stampsOf } from '../imap/mailboxes/mailbox-stamp.js';
import { isRefusal } from '../imap/mailboxes/mailbox-status.js';
import { canonicalName } from '../imap/wire/mailbox-names.js';
import { BrokerError } from '../protocol/errors.js';
import { defaultFields, type Field } from '../protocol/rows.js';
import { namesOf } from '../runtime/account-key.js';
import type { Log } from '../runtime/log/log.js';
import { pause } from '../runtime/wait.js';
import type { Views } from '../view/views.js';
import { FolderList } from './folder-list.js';
import { IdleLoop, type WatchTimes } from './idle-loop.js';
import {
  type AccountHandle,
  ALL_FOLDERS,
  type Found,
  type StartWatcher,
  type Tell,
  type WatchedMailbox,
  type Watcher,
} from './types.js';
import { WatchedFolder } from './watched-folder.js';

export const defaultWatchTimes: WatchTimes = {
  heartbeatMs: 120_000,
  pollMs: 30_000,
  quietMs: 500,
  retryMs: 500,
  stayMs: 30_000,
};

/** Milliseconds that one sync of a folder may take. */
const LOOK_MS = 30_000;
/** Milliseconds that a socket waits for what the watch was late with: more may be told again instead. */
const CATCH_UP_MS = 5_000;
/** Between two looks at which folders there are, so many polls could be made. */
const LIST_POLLS = 2;
/** Milliseconds for the server's answer to a heartbeat. */
const ANSWER_MS = 10_000;
/** Most milliseconds between retries when the server cannot be reached. */
const MOST_RETRY_MS = 60_000;
/** Milliseconds that the connection has to be given back when the watch ends. */
const LEAVE_MS = 2_000;

/** A watcher of accounts that uses the views of their folders. */
export function watcherOf(views: Views, times: WatchTimes = defaultWatchTimes, log?: Log): StartWatcher {
  return (account, tell) => new AccountWatcher(account, views, times, tell, log);
}

/** The folder that a watcher stays with, and the failures in a row since a connection last lasted. */
interface Home {
  folder: WatchedFolder;
  idleLoop: IdleLoop;
  failures: number;
}

/**
 * Watches folders of an account: stays with one folder on a connection, and polls the others, or syncs them when the
 * server reports a change. Changes are computed from the views, so after a lost connection no change is missed or
 * reported twice.
 */
class AccountWatcher implements Watcher {
  readonly #account: AccountHandle;
  readonly #views: Views;
  readonly #times: WatchTimes;
  readonly #tell: Tell;
  readonly #log: Log | undefined;
  readonly #folders = new Map<string, WatchedFolder>();
  readonly #stamps = new Map<string, Stamp | null>();
  readonly #end = new AbortController();
  #fields: readonly Field[] = defaultFields;
  #home: Home | undefined;
  /** Where it is watched which folders there are. */
  #list: FolderList | undefined;
  #listTimer: NodeJS.Timeout | undefined;
  #pollTimer: NodeJS.Timeout | undefined;
  /** `performance.now()` when the server last confirmed the home folder, and the others. */
  #homeProof = Number.NEGATIVE_INFINITY;
  #pollProof = Number.NEGATIVE_INFINITY;
  /** `performance.now()` when each folder began to be watched, until the server first fails to confirm it. */
  readonly #begun = new Map<string, number>();

  constructor(account: AccountHandle, views: Views, times: WatchTimes, tell: Tell, log: Log | undefined) {
    this.#log = log;
    this.#account = account;
    this.#views = views;
    this.#times = times;
    // Each sync under way listens to this signal.
    setMaxListeners(0, this.#end.signal);
    this.#tell = (change, fields) => {
      if (!this.#end.signal.aborted) tell(change, fields);
    };
  }

  async watch(mailboxes: readonly string[], signal: AbortSignal): Promise<Map<string, Found>> {
    const names = new Set(mailboxes);
    const fresh = mailboxes.filter((name) => name !== ALL_FOLDERS && !this.#folders.has(name));
    await this.#watchList(names.has(ALL_FOLDERS), signal);
    const refused = new Map<string, BrokerError>();
    for (const name of fresh) {
      const refusal = await this.#add(name, signal);
      if (refusal) refused.set(name, refusal);
    }
    for (const [name, folder] of this.#folders) if (!names.has(name)) this.#remove(name, folder);
    this.#settle();
    return new Map(mailboxes.map((name) => [name, refused.get(name) ?? this.#watched(name)]));
  }

  async catchUp(mailboxes: readonly string[]): Promise<void> {
    const deadlineAt = Date.now() + CATCH_UP_MS;
    const home = this.#home?.folder;
    const others = mailboxes.filter((name) => name !== home?.mailbox && this.#folders.has(name));
    const looks = [
      home && mailboxes.includes(home.mailbox) && this.#look(home, deadlineAt),
      others.length > 0 && this.#compareAll(others, deadlineAt),
      mailboxes.includes(ALL_FOLDERS) && this.#lookAtList(deadlineAt),
    ];
    await Promise.all(looks);
  }

  want(fields: readonly Field[]): void {
    this.#fields = fields;
  }

  get alive(): boolean {
    return [...this.#folders.keys()].every((name) => this.#liveness(name) !== undefined || this.#isNew(name));
  }

  close(): void {
    const idleLoop = this.#home?.idleLoop;
    this.#home = undefined;
    idleLoop?.end();
    this.#cancelPoll();
    this.#endList();
    for (const [name, folder] of this.#folders) this.#remove(name, folder);
    // By then the idle loop has usually given its connection back.
    setTimeout(() => this.#end.abort(new Error('The watch has ended.')), LEAVE_MS).unref();
  }

  /** Begins to watch a folder. @returns the server's refusal, if the folder cannot be watched */
  async #add(name: string, signal: AbortSignal): Promise<BrokerError | undefined> {
    const account = this.#account.key;
    const tell: Tell = (change, fields) => {
      if (this.#folders.get(name) === folder) this.#tell(change, fields);
    };
    const folder = new WatchedFolder(this.#views.pin(account, name), tell, () => this.#fields);
    try {
      await folder.sync(this.#account, { signal, deadlineAt: Date.now() + LOOK_MS });
    } catch (error) {
      folder.close();
      if (isRefusal(error)) return error;
      throw error;
    }
    this.#folders.set(name, folder);
    this.#begun.set(name, performance.now());
    folder.reader.liveness = () => this.#liveness(name);
    folder.reader.onConfirmed = () => {
      if (!folder.tellNews()) void this.#look(folder);
    };
    folder.reader.onWritten = () => void this.#look(folder);
    // Reports changes that came between the sync and the assignment above.
    folder.reader.onConfirmed();
    return undefined;
  }

  #remove(name: string, folder: WatchedFolder): void {
    this.#folders.delete(name);
    this.#stamps.delete(name);
    this.#begun.delete(name);
    folder.close();
  }

  /** Begins or ends to watch which folders there are. @throws BrokerError what the first look throws */
  async #watchList(wanted: boolean, signal: AbortSignal): Promise<void> {
    if (!wanted) {
      this.#endList();
      return;
    }
    if (this.#list) return;
    const list = new FolderList(this.#account, (change) => {
      if (this.#list === list) this.#tell(change);
    });
    await list.look({ signal, deadlineAt: Date.now() + LOOK_MS });
    this.#list = list;
    this.#settle();
    const poll = () => {
      if (this.#end.signal.aborted) this.#endList();
      else void this.#lookAtList();
    };
    this.#listTimer = setInterval(poll, LIST_POLLS * this.#times.pollMs).unref();
  }

  #endList(): void {
    this.#list = undefined;
    clearInterval(this.#listTimer);
    this.#settle();
  }

  foldersWritten(rename?: { from: string; to: string }): void {
    if (rename) this.#list?.renames(rename.from, rename.to);
    else void this.#lookAtList();
  }

  /** Where the look fails, the next one finds the changes. */
  async #lookAtList(deadlineAt = Date.now() + LOOK_MS): Promise<void> {
    await this.#list?.look({ signal: this.#end.signal, deadlineAt }).catch(() => {});
  }

  #watched(name: string): WatchedMailbox | null {
    if (name === ALL_FOLDERS) return { uidValidity: 0, lagMs: LIST_POLLS * this.#times.pollMs + LOOK_MS, state: null };
    const now = this.#folders.get(name)?.now;
    return now ? { ...now, lagMs: this.#lagMs(name) } : null;
  }

  /** Chooses the folder to stay with, and the folders to poll. */
  #settle(): void {
    if (this.#end.signal.aborted) return;
    const there = [...this.#folders.values()].filter(({ now }) => now !== null);
    const home = this.#home?.folder;
    const stays = home !== undefined && this.#folders.get(home.mailbox) === home && home.now !== null;
    const inbox = there.find(({ mailbox }) => mailbox === 'INBOX');
    if (!stays || (inbox && home !== inbox)) this.#move(inbox ?? there[0]);
    if (this.#home) this.#home.idleLoop.others = { mailboxes: this.#others(), folders: this.#list !== undefined };
    this.#schedulePoll();
  }

  #move(folder: WatchedFolder | undefined): void {
    this.#home?.idleLoop.end();
    this.#home = undefined;
    this.#homeProof = Number.NEGATIVE_INFINITY;
    if (!folder) return;
    const idleLoop = new IdleLoop(folder, this.#times, {
      onNews: () => void this.#look(folder),
      onOther: (mailbox) => {
        const other = this.#folders.get(canonicalName(mailbox));
        if (other && other !== folder) void this.#look(other);
      },
      onListed: () => void this.#lookAtList(),
      onProof: () => {
        // An idle loop that is being replaced proves nothing about the new home folder.
        if (this.#home !== home) return;
        this.#homeProof = performance.now();
      },
      onLost: () => {
        if (this.#home === home) this.#homeProof = Number.NEGATIVE_INFINITY;
      },
      onRestless: () => {
        this.#log?.warn(
          { ...namesOf(this.#account.key), mailbox: folder.mailbox },
          'the IMAP server ends each IDLE soon after it began; the watch asks it now and then',
        );
      },
    });
    const home: Home = { folder, idleLoop, failures: 0 };
    this.#home = home;
    void this.#stay(home);
  }

  /** Keeps an idle loop on the home folder: retries whenever its connection was needed elsewhere or lost. */
  async #stay(home: Home): Promise<void> {
    const { folder, idleLoop } = home;
    const { signal } = this.#end;
    const job = {
      label: 'watch',
      effect: 'read' as const,
      lane: 'watch' as const,
      mailbox: folder.mailbox,
      prefers: (connection: Parameters<IdleLoop['run']>[0]) => connection.isFollowedBy(folder.reader.view),
      signal,
      deadlineAt: Number.POSITIVE_INFINITY,
    };
    const { quietMs, retryMs, stayMs } = this.#times;
    while (this.#home === home && !signal.aborted) {
      let waitMs = quietMs;
      let since: number | undefined;
      try {
        await this.#account.run(job, (connection, lease) => {
          since = performance.now();
          return idleLoop.run(connection, lease);
        });
      } catch (error) {
        // The error needs no report: requests for mail get it themselves, and the next try finds the changes.
        if (since !== undefined && performance.now() - since >= stayMs) home.failures = 0;
        waitMs = Math.min(retryMs * 2 ** home.failures, MOST_RETRY_MS) * (0.5 + Math.random() / 2);
        if (isUnavailable(error)) waitMs = Math.max(waitMs, error.retryAfterMs ?? 0);
        home.failures += 1;
        this.#begun.delete(folder.mailbox);
      }
      await pause(waitMs, signal);
    }
  }

  /** Syncs a folder, which reports its changes. @returns false on failure: the next sync reports them */
  async #look(folder: WatchedFolder, deadlineAt = Date.now() + LOOK_MS): Promise<boolean> {
    try {
      await folder.sync(this.#account, { signal: this.#end.signal, deadlineAt });
      this.#settleIfHomeless();
      return true;
    } catch {
      this.#begun.delete(folder.mailbox);
      return false;
    }
  }

  /** Chooses a home folder anew when the current one is gone or there is none. */
  #settleIfHomeless(): void {
    if (!this.#home || this.#home.folder.now === null) this.#settle();
  }

  #others(): string[] {
    return [...this.#folders.keys()].filter((name) => name !== this.#home?.folder.mailbox);
  }

  /** Schedules the next poll. A scheduled or running poll is kept: repeated requests would delay it for ever. */
  #schedulePoll(): void {
    if (this.#end.signal.aborted || this.#others().length === 0) {
      this.#cancelPoll();
      return;
    }
    // With jitter: not all accounts poll at the same moment.
    const waitMs = this.#times.pollMs * (0.9 + Math.random() / 5);
    this.#pollTimer ??= setTimeout(() => void this.#poll(), waitMs).unref();
  }

  #cancelPoll(): void {
    clearTimeout(this.#pollTimer);
    this.#pollTimer = undefined;
  }

  async #poll(): Promise<void> {
    const others = this.#others();
    const compared = await this.#compareAll(others);
    if (!compared) for (const name of others) this.#begun.delete(name);
    this.#pollProof = compared ? performance.now() : Number.NEGATIVE_INFINITY;
    this.#cancelPoll();
    this.#schedulePoll();
  }

  /**
   * Syncs the folders whose stamps have changed.
   * @param deadlineAt of all of it; without it each step has its own deadline
   * @returns false on failure: the next poll finds the changes
   */
  async #compareAll(names: readonly string[], deadlineAt?: number): Promise<boolean> {
    const job = {
      label: 'watch',
      effect: 'read' as const,
      lane: 'bulk' as const,
      signal: this.#end.signal,
      deadlineAt: deadlineAt ?? Date.now() + LOOK_MS,
    };
    try {
      const stamps = await this.#account.run(job, (connection) => stampsOf(connection, names));
      // One after the other: an account has few connections, and other jobs wait for them too.
      let compared = true;
      for (const [name, stamp] of stamps) compared = (await this.#compare(name, stamp, deadlineAt)) && compared;
      return compared;
    } catch {
      return false;
    }
  }

  /** Syncs a folder if its stamp has changed. @returns false when the sync failed */
  async #compare(name: string, stamp: Stamp | null, deadlineAt: number | undefined): Promise<boolean> {
    const folder = this.#folders.get(name);
    if (!folder) return true;
    const before = this.#stamps.get(name);
    // An incomplete stamp does not show changes of flags.
    const changed = !before || before.text !== stamp?.text || !stamp.complete;
    if (changed && !(await this.#look(folder, deadlineAt))) return false;
    this.#stamps.set(name, stamp);
    return true;
  }

  #lagMs(name: string): number {
    const { heartbeatMs, pollMs } = this.#times;
    return name === this.#home?.folder.mailbox ? heartbeatMs + ANSWER_MS : 2 * pollMs + LOOK_MS;
  }

  /** Whether the folder was opened so lately that a check of it is not due yet. */
  #isNew(name: string): boolean {
    return performance.now() - (this.#begun.get(name) ?? Number.NEGATIVE_INFINITY) <= this.#lagMs(name);
  }

  #liveness(name: string): { lagMs: number } | undefined {
    const proof = name === this.#home?.folder.mailbox ? this.#homeProof : this.#pollProof;
    const lagMs = this.#lagMs(name);
    return performance.now() - proof <= lagMs ? { lagMs } : undefined;
  }
}

/** Whether the account gets no connection for now. */
function isUnavailable(error: unknown): error is BrokerError {
  return error instanceof BrokerError && error.kind === 'UPSTREAM_UNAVAILABLE';
}
