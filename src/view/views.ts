import { LRUCache } from 'lru-cache';
import type { ImapConnection } from '../imap/connection.js';
import { canonicalName } from '../imap/mailbox-names.js';
import { MailboxReader } from './mailbox-reader.js';
import { MailboxView, type Moment } from './mailbox-view.js';
import { bytesOfString } from './rows.js';

export interface ViewLimits {
  /** Bytes that all views and bodies together may have in memory. */
  bytes: number;
  /** Bytes that the body of one message, or an answer, may have to be kept; 0: none is kept. */
  bodyBytes: number;
}

export const defaultViewLimits: ViewLimits = { bytes: 128 * 1024 * 1024, bodyBytes: 256 * 1024 };

type Entry = { reader: MailboxReader } | { body: string } | { answer: KeptAnswer };

/** An answer as JSON, and when it began to be asked for. */
export interface KeptAnswer {
  json: string;
  asked: Moment;
}

/** Bytes of an entry beside what it holds: key, place in the cache and in its account. */
const ENTRY_BYTES = 500;
/** Rows that a folder keeps when its view has grown beyond its share. */
const FEW_ROWS = 500;
/** The share of all memory that one folder may take. */
const SHARE = 1 / 4;

/**
 * What the broker remembers of all accounts' mail: one cache, bounded in bytes, that forgets what was not used for the
 * longest. Every key begins with the account's, so nothing is ever seen by another.
 */
export class Views {
  readonly limits: ViewLimits;
  readonly #cache: LRUCache<string, Entry>;
  readonly #keys = new Map<string, Set<string>>();
  /** Folders that are watched: these are never forgotten. */
  readonly #pinned = new Map<string, { reader: MailboxReader; pins: number }>();
  readonly #writes = new Map<string, number>();

  constructor(limits: ViewLimits = defaultViewLimits) {
    this.limits = limits;
    this.#cache = new LRUCache<string, Entry>({
      maxSize: limits.bytes,
      dispose: (entry, key, reason) => {
        if (reason === 'set') return;
        this.#unlist(key);
        // A connection may follow it for hours.
        if ('reader' in entry && !this.#pinned.has(key)) entry.reader.view.abandon();
      },
    });
  }

  /** Bytes in the cache. */
  get bytes(): number {
    return this.#cache.calculatedSize;
  }

  get entries(): number {
    return this.#cache.size;
  }

  /** Who answers what is read from a folder. */
  reader(account: string, mailbox: string): MailboxReader {
    const name = canonicalName(mailbox);
    const key = keyOf(account, 'folder', name);
    const pinned = this.#pinned.get(key);
    if (pinned) return pinned.reader;
    const entry = this.#cache.get(key);
    if (entry && 'reader' in entry) return entry.reader;
    const view = new MailboxView();
    const reader = new MailboxReader(name, view, () => this.#grown(account, key, reader));
    this.#set(account, key, { reader }, view.bytes);
    return reader;
  }

  /** What is known of a folder by whoever hears all that this connection is told of it. */
  followedBy(connection: ImapConnection, account: string, mailbox: string): MailboxView | undefined {
    const view = this.#known(account, mailbox)?.view;
    return view && connection.isFollowedBy(view) ? view : undefined;
  }

  /** Keeps a folder in memory until the answered function is called. */
  pin(account: string, mailbox: string): { reader: MailboxReader; unpin: () => void } {
    const reader = this.reader(account, mailbox);
    const key = keyOf(account, 'folder', reader.mailbox);
    const pinned = this.#pinned.get(key) ?? { reader, pins: 0 };
    this.#pinned.set(key, pinned);
    pinned.pins += 1;
    return {
      reader,
      unpin: () => {
        pinned.pins -= 1;
        if (pinned.pins === 0) this.#pinned.delete(key);
      },
    };
  }

  /** What never changes of an opened message; `name` tells one from another within the account. */
  recall(account: string, name: string): string | undefined {
    const entry = this.#cache.get(keyOf(account, 'body', name));
    return entry && 'body' in entry ? entry.body : undefined;
  }

  keepBody(account: string, name: string, body: string): void {
    const bytes = bytesOfString(body);
    if (bytes <= this.limits.bodyBytes) this.#set(account, keyOf(account, 'body', name), { body }, bytes);
  }

  /** An answer that is not about one folder's messages alone, if it is no older than that and than the account's last write. */
  recallAnswer(account: string, name: string, maxAgeMs: number): KeptAnswer | undefined {
    const entry = this.#cache.get(keyOf(account, 'answer', name));
    if (!entry || !('answer' in entry)) return undefined;
    const { at } = entry.answer.asked;
    const fresh = performance.now() - at <= maxAgeMs && at > this.lastWrite(account);
    return fresh ? entry.answer : undefined;
  }

  hasAnswer(account: string, name: string): boolean {
    return this.#cache.has(keyOf(account, 'answer', name));
  }

  /** Keeps an answer in place of an older one. @param make called when it is not there already */
  keepAnswer(account: string, name: string, asked: Moment, make: () => string): void {
    const key = keyOf(account, 'answer', name);
    const known = this.#cache.peek(key);
    if (known && 'answer' in known && known.answer.asked.at >= asked.at) return;
    const json = make();
    const bytes = bytesOfString(json);
    if (bytes <= this.limits.bodyBytes) this.#set(account, key, { answer: { json, asked } }, bytes);
    else this.#cache.delete(key);
  }

  /**
   * Something was written to a folder; the connection that did it has told the view that follows it.
   */
  wrote(account: string, mailbox: string, connection?: ImapConnection): void {
    this.#writes.set(account, performance.now());
    const view = this.#known(account, mailbox)?.view;
    if (view && !connection?.isFollowedBy(view)) view.wrote();
  }

  /** Something was written that may be about any folder: one was renamed, say. */
  wroteAll(account: string): void {
    this.#writes.set(account, performance.now());
    for (const key of this.#keys.get(account) ?? []) {
      const entry = this.#cache.peek(key);
      if (entry && 'reader' in entry) entry.reader.view.wrote();
    }
    for (const [key, { reader }] of this.#pinned) if (key.startsWith(`${account}\0`)) reader.view.wrote();
  }

  /** `performance.now()` of the account's last write. */
  lastWrite(account: string): number {
    return this.#writes.get(account) ?? Number.NEGATIVE_INFINITY;
  }

  /** The account's last session has ended. */
  forget(account: string): void {
    for (const key of [...(this.#keys.get(account) ?? [])]) this.#cache.delete(key);
    this.#writes.delete(account);
  }

  /** Gives memory back: what was used least is forgotten until so many bytes are left. */
  shed(bytes: number): void {
    while (this.#cache.calculatedSize > bytes && this.#cache.pop() !== undefined);
  }

  #known(account: string, mailbox: string): MailboxReader | undefined {
    const key = keyOf(account, 'folder', canonicalName(mailbox));
    const entry = this.#cache.peek(key);
    return this.#pinned.get(key)?.reader ?? (entry && 'reader' in entry ? entry.reader : undefined);
  }

  #grown(account: string, key: string, reader: MailboxReader): void {
    const { view } = reader;
    if (view.bytes > this.limits.bytes * SHARE) view.rows.keep(FEW_ROWS);
    // Of a folder that was forgotten meanwhile somebody else may have begun a new view.
    const entry = this.#cache.peek(key);
    if (entry && 'reader' in entry && entry.reader === reader) this.#set(account, key, entry, view.bytes);
  }

  #set(account: string, key: string, entry: Entry, bytes: number): void {
    const keys = this.#keys.get(account) ?? new Set();
    this.#keys.set(account, keys);
    keys.add(key);
    const size = ENTRY_BYTES + key.length + bytes;
    // What is too large is not kept, and lru-cache then forgets what was there: it tells no one.
    if (size > this.limits.bytes) this.#cache.delete(key);
    else this.#cache.set(key, entry, { size });
    if (!this.#cache.has(key)) this.#unlist(key);
  }

  #unlist(key: string): void {
    const account = key.slice(0, key.indexOf('\0'));
    const keys = this.#keys.get(account);
    keys?.delete(key);
    if (keys?.size === 0) this.#keys.delete(account);
  }
}

function keyOf(account: string, kind: 'folder' | 'body' | 'answer', name: string): string {
  return `${account}\0${kind}\0${name}`;
}
