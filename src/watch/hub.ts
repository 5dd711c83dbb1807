import { createHmac, randomBytes } from 'node:crypto';
import { BrokerError } from '../protocol/errors.js';
import { protocolLimits } from '../protocol/limits.js';
import type { KeptPerAccount } from '../runtime/kept-per-account.js';
import type { Log } from '../runtime/log/log.js';
import { type EventLogLimits, EventStore } from './event-log.js';
import { Topic } from './topic.js';
import type { Beginning, StartWatcher, Subscriber, WatchRequest } from './types.js';

export interface HubLimits {
  log: EventLogLimits;
  /** Milliseconds that a mailbox is still watched after its last socket has left, so that the socket can come back. */
  lingerMs: number;
  /** Most mailboxes that one socket may watch. */
  perSocket: number;
  /** Most mailboxes of one account that may be watched. */
  perAccount: number;
}

export const defaultHubLimits: HubLimits = {
  log: { events: 1000, ageMs: 900_000, bytes: 64 * 1024 * 1024 },
  lingerMs: 60_000,
  perSocket: protocolLimits.watchedPerSocket,
  perAccount: protocolLimits.watchedPerAccount,
};

export interface HubOptions {
  /** Unique for each start of the broker. */
  epoch: string;
  startWatcher: StartWatcher;
  limits?: Partial<HubLimits>;
  log: Log;
}

/** Most ended topics whose last event number is remembered individually. */
const MOST_ENDED = 10_000;

/** All watches of the broker: one watcher for each account, however many sockets listen. */
export class Hub implements KeptPerAccount {
  readonly #options: HubOptions;
  readonly #limits: HubLimits;
  readonly #store: EventStore;
  /** Topics by account key. */
  readonly #topics = new Map<string, Topic>();
  readonly #bySubscriber = new Map<Subscriber, Set<Topic>>();
  /**
   * Last event numbers of ended topics, by topic name, which reveals nothing about the account: within an epoch no
   * number is used twice.
   */
  readonly #ended = new Map<string, number>();
  /** The greatest event number of the ended topics that are not remembered individually any more. */
  #forgotten: number | undefined;
  /** Key for topic names that reveal nothing about the account. */
  readonly #secret = randomBytes(32);
  readonly #sweeper: NodeJS.Timeout;
  #closed = false;

  constructor(options: HubOptions) {
    this.#options = options;
    this.#limits = { ...defaultHubLimits, ...options.limits };
    this.#store = new EventStore(this.#limits.log);
    this.#sweeper = setInterval(() => this.#sweep(), Math.min(15_000, Math.max(5, this.#limits.lingerMs / 4)));
    this.#sweeper.unref();
  }

  /** The watches, by account. */
  get topics(): ReadonlyMap<string, Topic> {
    return this.#topics;
  }

  /** How many folders a socket watches. */
  countOf(subscriber: Subscriber): number {
    let count = 0;
    for (const topic of this.#bySubscriber.get(subscriber) ?? []) count += topic.watchedBy(subscriber).length;
    return count;
  }

  /** Number of watched accounts, number of sockets that watch, and bytes of the events kept for them. */
  get stats(): { topics: number; subscribers: number; logBytes: number } {
    return { topics: this.#topics.size, subscribers: this.#bySubscriber.size, logBytes: this.#store.bytes };
  }

  /**
   * Starts watching mailboxes of an account for a socket.
   * @throws BrokerError NOT_FOUND, IMAP_NO, RATE_LIMITED, SESSION_EXPIRED, DRAINING, the signal's reason, or what the
   * watcher throws
   */
  async watch(request: WatchRequest): Promise<Beginning> {
    const { account, subscriber, mailboxes, signal } = request;
    signal.throwIfAborted();
    if (this.#closed) throw new BrokerError('DRAINING', 'The broker is about to stop.');
    const existing = this.#topics.get(account.key);
    this.#checkRoom(subscriber, existing, mailboxes);
    const topic = existing ?? this.#open(request);
    this.#topicsOf(subscriber).add(topic);
    return topic.begin(request);
  }

  /** @returns the mailboxes of the account that the socket still watches */
  unwatch(subscriber: Subscriber, accountKey: string, mailboxes?: readonly string[]): string[] {
    const topic = this.#topics.get(accountKey);
    topic?.stop(subscriber, mailboxes ?? topic.watchedBy(subscriber));
    return topic?.watchedBy(subscriber) ?? [];
  }

  /**
   * A request of the account has written to folders themselves; with `rename`, it is about to rename one, which a look
   * under way may show, and the next call tells that it is done.
   */
  foldersWritten(accountKey: string, rename?: { from: string; to: string }): void {
    this.#topics.get(accountKey)?.foldersWritten(rename);
  }

  /** The last session of an account has ended: ends its watches and notifies the sockets with `watch.ended`. */
  endAccount(accountKey: string): void {
    const topic = this.#topics.get(accountKey);
    if (!topic) return;
    const ended = new BrokerError('SESSION_EXPIRED', 'session: it has ended meanwhile.', { field: 'session' });
    const params = { epoch: this.#options.epoch, topic: this.#nameOf(accountKey) };
    const frame = JSON.stringify({ jsonrpc: '2.0', method: 'watch.ended', params });
    this.#end(accountKey, topic, ended, frame);
  }

  /** No socket of the account is expected to come back: its watch does not linger. */
  giveUp(accountKey: string): void {
    const topic = this.#topics.get(accountKey);
    if (topic?.facts.sockets === 0) this.#end(accountKey, topic, new BrokerError('CANCELLED', 'The watch has ended.'));
  }

  /** Ends all watches without notice: the sockets are closed or about to be closed. */
  close(): void {
    this.#closed = true;
    clearInterval(this.#sweeper);
    const error = new BrokerError('DRAINING', 'The broker is about to stop.');
    for (const [key, topic] of [...this.#topics]) this.#end(key, topic, error);
  }

  #checkRoom(subscriber: Subscriber, topic: Topic | undefined, mailboxes: readonly string[]): void {
    const { perSocket } = this.#limits;
    let count = mailboxes.length;
    for (const one of this.#bySubscriber.get(subscriber) ?? []) {
      const wanted = one.wantedBy(subscriber);
      count += one === topic ? [...wanted].filter((name) => !mailboxes.includes(name)).length : wanted.size;
    }
    if (count <= perSocket) return;
    const message = `mailboxes: this socket may watch ${perSocket} at once.`;
    throw new BrokerError('RATE_LIMITED', message, { field: 'mailboxes', retryAfterMs: 10_000 });
  }

  #topicsOf(subscriber: Subscriber): Set<Topic> {
    const existing = this.#bySubscriber.get(subscriber);
    if (existing) return existing;
    const topics = new Set<Topic>();
    this.#bySubscriber.set(subscriber, topics);
    subscriber.onClose(() => {
      this.#bySubscriber.delete(subscriber);
      for (const topic of topics) topic.drop(subscriber);
    });
    return topics;
  }

  #open({ account }: WatchRequest): Topic {
    const { epoch, startWatcher, log } = this.#options;
    const id = this.#nameOf(account.key);
    const ended = this.#ended.get(id) ?? this.#forgotten;
    this.#ended.delete(id);
    const topic = new Topic({
      id,
      epoch,
      account,
      startWatcher,
      store: this.#store,
      // One above the last number: a socket that resumes with the last number must not be considered up to date.
      seq: ended === undefined ? 0 : ended + 1,
      mailboxes: this.#limits.perAccount,
      onFailure: (err) => log.warn({ err }, 'a watch failed'),
    });
    this.#topics.set(account.key, topic);
    return topic;
  }

  #end(key: string, topic: Topic, error: BrokerError, farewell?: string): void {
    this.#topics.delete(key);
    for (const topics of this.#bySubscriber.values()) topics.delete(topic);
    this.#ended.set(this.#nameOf(key), topic.seq);
    if (this.#ended.size > MOST_ENDED) {
      const [[oldest, seq] = ['', 0]] = this.#ended;
      this.#ended.delete(oldest);
      this.#forgotten = Math.max(this.#forgotten ?? 0, seq);
    }
    topic.end(error, farewell);
  }

  #sweep(): void {
    this.#store.trim();
    for (const [key, topic] of this.#topics) {
      if (topic.sweep(this.#limits.lingerMs)) continue;
      this.#end(key, topic, new BrokerError('CANCELLED', 'The watch has ended.'));
    }
  }

  #nameOf(accountKey: string): string {
    return createHmac('sha256', this.#secret).update(accountKey).digest('base64url').slice(0, 22);
  }
}
