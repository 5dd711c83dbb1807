import { BrokerError } from '../protocol/errors.js';
import { defaultFields, type Field, type MessageSummary } from '../protocol/rows.js';
import { orAborted } from '../runtime/wait.js';
import { EventLog, type EventStore, type LoggedEvent } from './event-log.js';
import { LatestAccount } from './latest-account.js';
import { Rounds } from './rounds.js';
import { MOST_HEADERS, RowFields } from './row-fields.js';
import { type Hold, Subscription } from './subscription.js';
import {
  type AccountHandle,
  ALL_FOLDERS,
  type Beginning,
  type MailboxChange,
  type StartWatcher,
  type Subscriber,
  type WatchRequest,
} from './types.js';

/** What became of the folders cannot be told any more. */
const unknownFolders: MailboxChange = {
  type: 'folders',
  created: [],
  deleted: [],
  renamed: [],
  subscribed: [],
  unsubscribed: [],
  more: true,
};

export interface TopicOptions {
  /** The topic's name towards its sockets. */
  id: string;
  epoch: string;
  account: AccountHandle;
  startWatcher: StartWatcher;
  store: EventStore;
  /** Number after which the topic's events are numbered. */
  seq: number;
  /** Most mailboxes that may be watched at once. */
  mailboxes: number;
  onFailure: (error: unknown) => void;
}

interface Mailbox {
  /** Number above which the log has every event of the mailbox; undefined until the watcher watches it. */
  since: number | undefined;
  /** `performance.now()` when a sweep first found that no socket watches the mailbox. */
  unusedAt: number | undefined;
}

/** The watch of an account as operators see it. */
export interface WatchFacts {
  mailboxes: string[];
  sockets: number;
  /** Number of the topic's last event. */
  seq: number;
  /** Whether a change in any of the folders would be reported within its lag, as far as is known. */
  alive: boolean;
}

/** The watch of one account: its watcher, its mailboxes, its events and the sockets that get them. */
export class Topic {
  readonly #options: TopicOptions;
  readonly #log: EventLog;
  readonly #mailboxes = new Map<string, Mailbox>();
  readonly #subscriptions = new Map<Subscriber, Subscription>();
  readonly #watcher;
  readonly #rounds: Rounds;
  readonly #account: LatestAccount;
  /** What the rows of events have: all that sockets want or have wanted of late. */
  #fields = new RowFields([]);
  /** `performance.now()` when a sweep first found that sockets want less. */
  #fewerAt: number | undefined;
  /** What was cut last, of all topics: sockets of an account mostly want the same. */
  static #lastCut: { event: LoggedEvent; key: string; frame: string } | undefined;
  /** Set when the topic has ended; the farewell is the last frame for its sockets. */
  #ended: { farewell: string | undefined } | undefined;

  constructor(options: TopicOptions) {
    this.#options = options;
    this.#log = new EventLog(options.store, options.seq);
    this.#account = new LatestAccount(options.account);
    this.#watcher = options.startWatcher(this.#account, (change, fields) => this.#publish(change, fields));
    this.#rounds = new Rounds(this.#watcher, () => [...this.#mailboxes.keys()], options.onFailure);
  }

  /** Number of the topic's last event. */
  get seq(): number {
    return this.#log.seq;
  }

  /** The watched mailboxes, and by how many sockets they are watched. */
  get facts(): WatchFacts {
    const { seq } = this;
    return {
      mailboxes: [...this.#mailboxes.keys()].filter((name) => name !== ALL_FOLDERS),
      sockets: this.#subscriptions.size,
      seq,
      alive: this.#watcher.alive,
    };
  }

  /** How many folders are watched. */
  get size(): number {
    return this.#mailboxes.size;
  }

  /** The mailboxes that a socket watches. */
  watchedBy(subscriber: Subscriber): string[] {
    return this.#subscriptions.get(subscriber)?.mailboxes ?? [];
  }

  /** The mailboxes that a socket watches or is about to watch. */
  wantedBy(subscriber: Subscriber): ReadonlySet<string> {
    return this.#subscriptions.get(subscriber)?.wanted ?? new Set();
  }

  /**
   * Starts watching mailboxes for a socket, which gets their events after {@link Beginning.settle}.
   * @throws BrokerError NOT_FOUND, IMAP_NO, RATE_LIMITED, SESSION_EXPIRED, the signal's reason, or what the watcher
   * throws
   */
  async begin({ account, subscriber, mailboxes, fields, signal, resume }: WatchRequest): Promise<Beginning> {
    const wanted = new RowFields(fields);
    this.#want(wanted);
    this.#claim(mailboxes);
    this.#account.latest = account;
    const cut = (event: LoggedEvent, only: RowFields) => this.#cut(event, only);
    const subscription = this.#subscriptions.get(subscriber) ?? new Subscription(subscriber, this.#log, cut);
    this.#subscriptions.set(subscriber, subscription);
    const hold = subscription.hold(mailboxes, wanted);
    const known = mailboxes.filter((name) => this.#mailboxes.get(name)?.since !== undefined);
    try {
      const found = await this.#rounds.join(signal);
      const watched = mailboxes.flatMap((mailbox) => {
        const state = found.get(mailbox);
        if (state instanceof BrokerError) throw state;
        return state ? [{ mailbox, ...state }] : [];
      });
      const names = watched.map(({ mailbox }) => mailbox);
      const missing = mailboxes.filter((name) => !names.includes(name));
      if (!resume && missing.length > 0) throw notFound(missing);
      if (resume && !this.#replay(resume, names, this.#log.seq)) {
        // The socket lists the folders after the answer: what the list shows must not be told after it.
        await orAborted(this.#watcher.catchUp(known), signal);
        hold.from = this.#log.seq;
      }
      hold.from ??= this.#log.seq;
      hold.replay = resume && this.#replay(resume, names, hold.from);
      for (const name of names) this.#establish(name, hold.from);
      return {
        topic: this.#options.id,
        epoch: this.#options.epoch,
        seq: hold.from,
        mailboxes: watched,
        missing,
        replayed: hold.replay?.events.filter((event) => subscription.lacks(event)).length ?? 0,
        resync: resume !== undefined && hold.replay === undefined,
        settle: (ok) => {
          if (ok) subscription.begin(hold, names);
          else subscription.drop(hold);
          // The topic ended between the watcher's result and the answer.
          if (ok && this.#ended?.farewell) subscriber.send(this.#ended.farewell);
          this.#tidy(subscription, mailboxes);
        },
      };
    } catch (error) {
      subscription.drop(hold);
      this.#tidy(subscription, mailboxes);
      throw error;
    }
  }

  /** The account has written to folders: see the hub. */
  foldersWritten(rename?: { from: string; to: string }): void {
    this.#watcher.foldersWritten(rename);
  }

  stop(subscriber: Subscriber, mailboxes: readonly string[]): void {
    const subscription = this.#subscriptions.get(subscriber);
    subscription?.stop(mailboxes);
    if (subscription) this.#tidy(subscription, mailboxes);
  }

  /** A socket is gone. */
  drop(subscriber: Subscriber): void {
    this.#subscriptions.get(subscriber)?.end();
    this.#subscriptions.delete(subscriber);
  }

  /**
   * Forgets mailboxes that no socket has watched for `lingerMs`.
   * @returns whether any mailbox is left
   */
  sweep(lingerMs: number): boolean {
    const now = performance.now();
    this.#wantLess(now, lingerMs);
    const before = this.#mailboxes.size;
    const used = this.#used();
    for (const [name, mailbox] of this.#mailboxes) {
      if (used.has(name)) mailbox.unusedAt = undefined;
      else mailbox.unusedAt ??= now;
      if (mailbox.unusedAt !== undefined && now - mailbox.unusedAt >= lingerMs) this.#forget(name);
    }
    if (this.#mailboxes.size < before) this.#refresh();
    return this.#mailboxes.size > 0;
  }

  /** Ends the watch, and sends the farewell to its sockets. */
  end(error: BrokerError, farewell?: string): void {
    this.#ended = { farewell };
    const subscribers = [...this.#subscriptions.keys()];
    this.#rounds.close(error);
    this.#watcher.close();
    for (const subscriber of subscribers) {
      this.drop(subscriber);
      if (farewell !== undefined) subscriber.send(farewell);
    }
    this.#mailboxes.clear();
    this.#log.clear();
    // No mail is kept of an account that has ended.
    Topic.#lastCut = undefined;
  }

  /** Adds to what rows have. @throws BrokerError RATE_LIMITED where they would have too many header lines */
  #want(fields: RowFields): void {
    if (this.#fields.covers(fields)) return;
    let all = this.#fields.with(fields);
    if (all.headers > MOST_HEADERS) all = this.#usedFields().with(fields);
    if (all.headers > MOST_HEADERS) {
      const message = `fields: rows of an account's events may have ${MOST_HEADERS} headers, and so many are asked for.`;
      throw new BrokerError('RATE_LIMITED', message, { field: 'fields', retryAfterMs: 10_000 });
    }
    this.#fields = all;
    this.#watcher.want(all.list);
  }

  /** Leaves out of rows what no socket has wanted for `lingerMs`: a lost socket may come back for its events. */
  #wantLess(now: number, lingerMs: number): void {
    const used = this.#usedFields();
    if (used.key === this.#fields.key) this.#fewerAt = undefined;
    else this.#fewerAt ??= now;
    if (this.#fewerAt === undefined || now - this.#fewerAt < lingerMs) return;
    this.#fewerAt = undefined;
    this.#fields = used;
    this.#watcher.want(used.list);
  }

  #usedFields(): RowFields {
    let used = new RowFields([]);
    for (const subscription of this.#subscriptions.values())
      for (const fields of subscription.wantedFields()) if (!used.covers(fields)) used = used.with(fields);
    return used;
  }

  /** The frame of an event for a socket that wants fewer members of rows; what it wants beyond them it must list. */
  #cut(event: LoggedEvent, only: RowFields): string {
    const { frame, fields } = event;
    const last = Topic.#lastCut;
    if (last?.event === event && last.key === only.key) return last.frame;
    const { params, ...rest } = JSON.parse(frame) as { params: { messages: MessageSummary[] } };
    const whole = fields?.covers(only) === true;
    const messages = whole ? params.messages.map((row) => only.of(row)) : [];
    const more = whole ? {} : { more: true };
    const cut = JSON.stringify({ ...rest, params: { ...params, messages, ...more } });
    Topic.#lastCut = { event, key: only.key, frame: cut };
    return cut;
  }

  #publish(change: MailboxChange, rows: readonly Field[] = defaultFields): void {
    // A last change of a mailbox that was just forgotten would be in the log without the changes after it.
    const mailbox = change.type === 'folders' ? ALL_FOLDERS : change.mailbox;
    if (this.#ended || !this.#mailboxes.has(mailbox)) return;
    const { epoch, id: topic } = this.#options;
    const at = new Date().toISOString();
    const write = (seq: number) =>
      JSON.stringify({ jsonrpc: '2.0', method: 'event', params: { epoch, topic, seq, at, ...change } });
    const fields = change.type === 'new' ? new RowFields(rows) : undefined;
    const event = this.#log.append(mailbox, write, fields?.key === this.#fields.key ? this.#fields : fields);
    for (const subscription of this.#subscriptions.values()) subscription.take(event);
  }

  /** Adds mailboxes to the watched ones; at the limit, mailboxes that no socket watches any more are forgotten. */
  #claim(mailboxes: readonly string[]): void {
    const added = mailboxes.filter((name) => !this.#mailboxes.has(name));
    const most = this.#options.mailboxes;
    if (this.#mailboxes.size + added.length > most) {
      const used = this.#used();
      for (const name of mailboxes) used.add(name);
      if (used.size > most) {
        const message = `mailboxes: ${most} of an account may be watched at once, and so many are.`;
        throw new BrokerError('RATE_LIMITED', message, { field: 'mailboxes', retryAfterMs: 10_000 });
      }
      for (const name of [...this.#mailboxes.keys()]) if (!used.has(name)) this.#forget(name);
    }
    for (const name of added) this.#mailboxes.set(name, { since: undefined, unusedAt: undefined });
  }

  /** Stops watching a mailbox. The `reset` event makes a socket that resumes later read the mailbox anew. */
  #forget(name: string): void {
    if (this.#mailboxes.get(name)?.since !== undefined)
      this.#publish(name === ALL_FOLDERS ? unknownFolders : { type: 'reset', mailbox: name });
    this.#mailboxes.delete(name);
  }

  #refresh(): void {
    if (!this.#ended && this.#mailboxes.size > 0) this.#rounds.refresh();
  }

  #used(): Set<string> {
    const used = new Set<string>();
    for (const { wanted } of this.#subscriptions.values()) for (const name of wanted) used.add(name);
    return used;
  }

  #establish(name: string, seq: number): void {
    const mailbox = this.#mailboxes.get(name);
    if (mailbox) mailbox.since = Math.min(mailbox.since ?? seq, seq);
  }

  /** The events for a socket that resumes; undefined when the log may lack some of them. */
  #replay(
    { epoch, after }: { epoch: string; after: number },
    mailboxes: readonly string[],
    upTo: number,
  ): Hold['replay'] {
    const events = epoch === this.#options.epoch ? this.#log.after(after) : undefined;
    const complete = mailboxes.every((name) => (this.#mailboxes.get(name)?.since ?? Number.POSITIVE_INFINITY) <= after);
    if (!events || !complete) return undefined;
    return { after, events: events.filter(({ mailbox, seq }) => seq <= upTo && mailboxes.includes(mailbox)) };
  }

  /** Cleans up after a socket that watches fewer mailboxes than it was about to. */
  #tidy(subscription: Subscription, mailboxes: readonly string[]): void {
    const { subscriber } = subscription;
    if (subscription.idle && this.#subscriptions.get(subscriber) === subscription)
      this.#subscriptions.delete(subscriber);
    const unknown = mailboxes.filter((name) => {
      const mailbox = this.#mailboxes.get(name);
      return mailbox !== undefined && mailbox.since === undefined;
    });
    if (unknown.length === 0) return;
    // No socket has got events of these mailboxes, so no socket can resume with them.
    const used = this.#used();
    for (const name of unknown) if (!used.has(name)) this.#mailboxes.delete(name);
    this.#refresh();
  }
}

function notFound([first = '']: readonly string[]): BrokerError {
  const message = `mailboxes: there is no folder "${first}", or it cannot be opened.`;
  return new BrokerError('NOT_FOUND', message, { field: 'mailboxes' });
}
