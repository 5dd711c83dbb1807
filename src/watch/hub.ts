import { createHmac, randomBytes } from 'node:crypto';
import { BrokerError } from '../protocol/errors.js';
import { protocolLimits } from '../protocol/limits.js';
import type { KeptPerAccount } from '../runtime/kept-per-account.js';
import type { Log } from '../runtime/log.js';
import { type EventLogLimits, EventStore } from './event-log.js';
import { Topic } from './topic.js';
import type { Beginning, StartWatcher, Subscriber, WatchRequest } from './types.js';

export interface HubLimits {
  log: EventLogLimits;
  /** Milliseconds that a mailbox is still watched when its last socket has gone, so that it can come back. */
  lingerMs: number;
  /** Mailboxes that one socket may watch. */
  perSocket: number;
  /** Mailboxes of one account that may be watched. */
  perAccount: number;
}

export const defaultHubLimits: HubLimits = {
  log: { events: 1000, ageMs: 900_000, bytes: 64 * 1024 * 1024 },
  lingerMs: 60_000,
  perSocket: protocolLimits.watchedPerSocket,
  perAccount: protocolLimits.watchedPerAccount,
};

export interface HubOptions {
  /** Another one after each start of the broker. */
  epoch: string;
  startWatcher: StartWatcher;
  limits?: Partial<HubLimits>;
  log: Log;
}

/** Topics that have ended and whose last number is remembered one by one. */
const MOST_ENDED = 10_000;

/** All watches of the broker: one watcher for each account, however many sockets listen. */
export class Hub implements KeptPerAccount {
  readonly #options: HubOptions;
  readonly #limits: HubLimits;
  readonly #store: EventStore;
  /** By account. */
  readonly #topics = new Map<string, Topic>();
  readonly #bySubscriber = new Map<Subscriber, Set<Topic>>();
  /**
   * Last numbers of topics that have ended, by the topic's name, which tells nothing of the account: within an epoch no
   * number is given twice.
   */
  readonly #ended = new Map<string, number>();
  /** The greatest of those that were forgotten. */
  #forgotten: number | undefined;
  /** Makes names of topics that tell nothing about the account. */
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

  /** Accounts that are watched, the sockets that do, and the bytes of events that are kept for them. */
  get stats(): { topics: number; subscribers: number; logBytes: number } {
    return { topics: this.#topics.size, subscribers: this.#bySubscriber.size, logBytes: this.#store.bytes };
  }

  /**
   * Has mailboxes of an account watched for a socket.
   * @throws BrokerError NOT_FOUND, IMAP_NO, RATE_LIMITED, SESSION_EXPIRED, DRAINING, the signal's reason, or what the
   * watcher throws
   */
  async watch(request: WatchRequest): Promise<Beginning> {
    const { account, subscriber, mailboxes, signal } = request;
    signal.throwIfAborted();
    if (this.#closed) throw new BrokerError('DRAINING', 'The broker is about to stop.');
    const known = this.#topics.get(account.key);
    this.#checkRoom(subscriber, known, mailboxes);
    const topic = known ?? this.#open(request);
    this.#topicsOf(subscriber).add(topic);
    return topic.begin(request);
  }

  /** @returns what the socket still watches of the account */
  unwatch(subscriber: Subscriber, accountKey: string, mailboxes?: readonly string[]): string[] {
    const topic = this.#topics.get(accountKey);
    topic?.stop(subscriber, mailboxes ?? topic.watchedBy(subscriber));
    return topic?.watchedBy(subscriber) ?? [];
  }

  /** Watches of the account end, and their sockets are told. */
  endAccount(accountKey: string): void {
    const topic = this.#topics.get(accountKey);
    if (!topic) return;
    const ended = new BrokerError('SESSION_EXPIRED', 'session: it has ended meanwhile.', { field: 'session' });
    const params = { epoch: this.#options.epoch, topic: this.#nameOf(accountKey) };
    const frame = JSON.stringify({ jsonrpc: '2.0', method: 'watch.ended', params });
    this.#end(accountKey, topic, ended, frame);
  }

  /** Ends all watches; the sockets are gone or about to go. */
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
    const known = this.#bySubscriber.get(subscriber);
    if (known) return known;
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
      // One more than was given: who comes back with the last number must not be taken for up to date.
      seq: ended === undefined ? 0 : ended + 1,
      mailboxes: this.#limits.perAccount,
      onFailure: (err) => log.warn({ err }, 'watch'),
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
