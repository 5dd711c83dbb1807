import { LRUCache } from 'lru-cache';
import type { ImapConnection } from '../imap/connection/connection.js';
import type { FoundMessages } from '../imap/messages/folders/found-messages.js';
import { canonicalName } from '../imap/wire/mailbox-names.js';
import type { KeptPerAccount } from '../runtime/kept-per-account.js';
import { Live } from '../runtime/live.js';
import type { Moment } from '../runtime/moment.js';
import { type Confirmations, MailboxReader } from './mailbox-reader.js';
import { MailboxView } from './mailbox-view.js';
import { bytesOfString } from './string-bytes.js';

export interface ViewLimits {
  /** Most bytes of memory for all views and bodies together. */
  bytes: number;
  /** Largest body of a message, or answer, that is kept, in bytes; 0: none is kept. */
  bodyBytes: number;
}

export const defaultViewLimits: ViewLimits = { bytes: 128 * 1024 * 1024, bodyBytes: 256 * 1024 };

type Entry = { reader: MailboxReader } | { body: string } | { answer: KeptAnswer } | { found: FoundMessages };

/** An answer as JSON, and when its request began. */
export interface KeptAnswer {
  json: string;
  asked: Moment;
}

/** A folder that is watched. */
interface Pinned {
  reader: MailboxReader;
  pins: number;
  bytes: number;
}

/** Bytes of an entry besides its content and its key: its places in the cache and in its account. */
const ENTRY_BYTES = 220;
/** Bytes of an account besides its entries. */
const ACCOUNT_BYTES = 250;
/** Rows that a view keeps when it has grown beyond its share. */
const FEW_ROWS = 500;
/** The share of all memory that one folder, or what one search found, may take. */
const SHARE = 1 / 4;

/**
 * What the broker remembers of all accounts' mail: one LRU cache, bounded in bytes. Every key begins with the account's
 * key, so no account ever sees another's mail.
 */
export class Views implements KeptPerAccount {
  readonly limits: Live<ViewLimits>;
  readonly confirmations: Confirmations = { idle: 0, noop: 0, select: 0 };
  /** How often a message that was asked for again was still in memory, and how often not. */
  readonly recalls = { hit: 0, miss: 0 };
  readonly #isLive: (account: string) => boolean;
  readonly #cache: LRUCache<string, Entry>;
  /** Keys of the cache and of pinned folders, by account. */
  readonly #keys = new Map<string, Set<string>>();
  /** Watched folders: they are never evicted, but their rows may be. */
  readonly #pinned = new Map<string, Pinned>();
  #pinnedBytes = 0;
  /** `performance.now()` of the last write, by account: kept answers must be newer. */
  readonly #writes = new Map<string, number>();

  /** @param isLive whether an account has a session: without one nothing is kept, even if its requests still run */
  constructor(limits: ViewLimits = defaultViewLimits, isLive: (account: string) => boolean = () => true) {
    this.limits = new Live(limits);
    this.#isLive = isLive;
    this.#cache = new LRUCache<string, Entry>({
      // The cache's own bound cannot be changed later: `shed` evicts instead.
      maxSize: Number.MAX_SAFE_INTEGER,
      dispose: (entry, key, reason) => {
        if (reason === 'set' || this.#pinned.has(key)) return;
        this.#unlist(key);
        if ('reader' in entry) letGo(entry.reader);
      },
    });
  }

  /** Changes the limits. */
  setLimits(limits: ViewLimits): void {
    this.limits.replace(limits);
    this.shed(limits.bytes);
  }

  /** Bytes in the heap of all that is kept; the sizes were measured: see the test. */
  get bytes(): number {
    return this.#cache.calculatedSize + this.#pinnedBytes + this.#keys.size * ACCOUNT_BYTES;
  }

  /** Bytes of one account, summed over all of its entries. */
  bytesOf(account: string): number {
    let bytes = 0;
    for (const key of this.#keys.get(account) ?? []) {
      bytes += this.#pinned.get(key)?.bytes ?? this.#cache.info(key)?.size ?? 0;
    }
    return bytes;
  }

  get entries(): number {
    return this.#cache.size + this.#pinned.size;
  }

  /** The reader that answers questions about a folder. */
  reader(account: string, mailbox: string): MailboxReader {
    const name = canonicalName(mailbox);
    const key = entryKey(account, 'folder', name);
    const known = this.#readerOf(key, 'used');
    if (known) return known;
    const view = new MailboxView();
    const reader = new MailboxReader(name, view, () => this.#grown(account, key, reader), this.confirmations);
    this.#set(account, key, { reader }, view.bytes);
    return reader;
  }

  /** The view of a folder, if it follows this connection; else undefined. */
  followedBy(connection: ImapConnection, account: string, mailbox: string): MailboxView | undefined {
    const view = this.#readerOf(entryKey(account, 'folder', canonicalName(mailbox)))?.view;
    return view && connection.isFollowedBy(view) ? view : undefined;
  }

  /** Keeps a folder in memory until the returned `unpin` is called, or the account's last session ends. */
  pin(account: string, mailbox: string): { reader: MailboxReader; unpin: () => void } {
    const reader = this.reader(account, mailbox);
    const key = entryKey(account, 'folder', reader.mailbox);
    if (!this.#isLive(account)) return { reader, unpin: () => {} };
    const pinned = this.#pinned.get(key) ?? { reader, pins: 0, bytes: 0 };
    pinned.pins += 1;
    if (pinned.pins === 1) {
      this.#pinned.set(key, pinned);
      this.#list(account, key);
      this.#cache.delete(key);
      this.#measure(key, pinned);
    }
    return {
      reader,
      unpin: () => {
        pinned.pins -= 1;
        if (pinned.pins > 0 || this.#pinned.get(key) !== pinned) return;
        this.#unpin(key, pinned);
        this.#set(account, key, { reader }, reader.view.bytes);
        if (!this.#cache.has(key)) letGo(reader);
      },
    };
  }

  /** The immutable part of an opened message; `name` identifies it within the account. */
  recall(account: string, name: string): string | undefined {
    const entry = this.#cache.get(entryKey(account, 'body', name));
    const body = entry && 'body' in entry ? entry.body : undefined;
    this.recalls[body === undefined ? 'miss' : 'hit'] += 1;
    return body;
  }

  keepBody(account: string, name: string, body: string): void {
    const bytes = bytesOfString(body);
    if (bytes <= this.limits.now.bodyBytes) this.#set(account, entryKey(account, 'body', name), { body }, bytes);
  }

  /** Something that was made out of a folder, as JSON; whether it still holds its user decides, by what is in it. */
  recallMade(account: string, name: string): string | undefined {
    const entry = this.#cache.get(entryKey(account, 'made', name));
    return entry && 'body' in entry ? entry.body : undefined;
  }

  keepMade(account: string, name: string, json: string): void {
    this.#set(account, entryKey(account, 'made', name), { body: json }, bytesOfString(json));
  }

  /**
   * An answer that is not about the messages of one folder alone, unless it is older than `maxAgeMs` or than the
   * account's last write.
   */
  recallAnswer(account: string, name: string, maxAgeMs: number): KeptAnswer | undefined {
    const entry = this.#cache.get(entryKey(account, 'answer', name));
    if (!entry || !('answer' in entry)) return undefined;
    const { at } = entry.answer.asked;
    const fresh = performance.now() - at <= maxAgeMs && at > this.lastWrite(account);
    return fresh ? entry.answer : undefined;
  }

  hasAnswer(account: string, name: string): boolean {
    return this.#cache.has(entryKey(account, 'answer', name));
  }

  /** Keeps an answer in place of an older one. @param make builds the JSON; called unless one as recent is kept */
  keepAnswer(account: string, name: string, asked: Moment, make: () => string, most = this.limits.now.bodyBytes): void {
    const key = entryKey(account, 'answer', name);
    const known = this.#cache.peek(key);
    if (known && 'answer' in known && known.answer.asked.at >= asked.at) return;
    const json = make();
    const bytes = bytesOfString(json);
    if (bytes <= most) this.#set(account, key, { answer: { json, asked } }, bytes);
    else this.#cache.delete(key);
  }

  /** What a search over folders found last; `name` identifies its question within the account. */
  recallFound(account: string, name: string): FoundMessages | undefined {
    const entry = this.#cache.get(entryKey(account, 'found', name));
    return entry && 'found' in entry ? entry.found : undefined;
  }

  /** Keeps what a search found, in place of what it found before; to be called again when it has grown. */
  keepFound(account: string, name: string, found: FoundMessages): void {
    const key = entryKey(account, 'found', name);
    const { bytes } = found;
    if (bytes <= this.limits.now.bytes * SHARE) this.#set(account, key, { found }, bytes);
    else this.#cache.delete(key);
  }

  /**
   * A request wrote to a folder. A view that follows the writing `connection` has heard of the change already.
   */
  wrote(account: string, mailbox: string, connection?: ImapConnection): void {
    this.#noteWrite(account);
    const reader = this.#readerOf(entryKey(account, 'folder', canonicalName(mailbox)));
    if (reader && !connection?.isFollowedBy(reader.view)) reader.view.wrote();
    reader?.onWritten?.();
  }

  /** A request wrote something that may concern any folder: a folder was renamed, for example. */
  wroteAll(account: string): void {
    this.#noteWrite(account);
    for (const key of this.#keys.get(account) ?? []) {
      const reader = this.#readerOf(key);
      reader?.view.wrote();
      reader?.onWritten?.();
    }
  }

  /** `performance.now()` of the account's last write. */
  lastWrite(account: string): number {
    return this.#writes.get(account) ?? Number.NEGATIVE_INFINITY;
  }

  endAccount(account: string): void {
    for (const key of [...(this.#keys.get(account) ?? [])]) {
      const pinned = this.#pinned.get(key);
      if (pinned) {
        this.#unpin(key, pinned);
        letGo(pinned.reader);
      }
      this.#cache.delete(key);
    }
    this.#keys.delete(account);
    this.#writes.delete(account);
  }

  /** Frees memory: evicts the least recently used entries, then rows and lists of watched folders, down to so many bytes. */
  shed(bytes: number): void {
    while (this.bytes > bytes && this.#cache.pop() !== undefined);
    for (const [key, pinned] of this.#pinned) {
      if (this.bytes <= bytes) return;
      // The reader is putting an answer together from these rows.
      if (pinned.reader.busy) continue;
      pinned.reader.view.rows.clear();
      pinned.reader.view.dropFound();
      this.#measure(key, pinned);
    }
  }

  #noteWrite(account: string): void {
    if (this.#isLive(account)) this.#writes.set(account, performance.now());
  }

  #readerOf(key: string, used?: 'used'): MailboxReader | undefined {
    const pinned = this.#pinned.get(key);
    if (pinned) return pinned.reader;
    const entry = used ? this.#cache.get(key) : this.#cache.peek(key);
    return entry && 'reader' in entry ? entry.reader : undefined;
  }

  #grown(account: string, key: string, reader: MailboxReader): void {
    const { view } = reader;
    const most = this.limits.now.bytes * SHARE;
    if (view.bytes > most) view.rows.keep(FEW_ROWS);
    if (view.bytes > most) view.dropFound();
    // The folder may have been evicted meanwhile, and a later request may have made a new view of it.
    const pinned = this.#pinned.get(key);
    if (pinned?.reader === reader) {
      this.#measure(key, pinned);
      this.shed(this.limits.now.bytes);
    } else if (this.#readerOf(key) === reader) this.#set(account, key, { reader }, view.bytes);
    if (this.#readerOf(key) !== reader) view.abandon();
  }

  #set(account: string, key: string, entry: Entry, bytes: number): void {
    if (!this.#isLive(account)) return;
    this.#list(account, key);
    const size = sizeOf(key, bytes);
    // An entry that is too large is not kept; lru-cache would drop the older entry without a call of `dispose`.
    if (size > this.limits.now.bytes) this.#cache.delete(key);
    else this.#cache.set(key, entry, { size });
    if (!this.#cache.has(key)) this.#unlist(key);
    // The cache counts its own entries only, not pinned folders.
    this.shed(this.limits.now.bytes);
  }

  #measure(key: string, pinned: Pinned): void {
    this.#pinnedBytes -= pinned.bytes;
    pinned.bytes = sizeOf(key, pinned.reader.view.bytes);
    this.#pinnedBytes += pinned.bytes;
  }

  #unpin(key: string, pinned: Pinned): void {
    this.#pinned.delete(key);
    this.#pinnedBytes -= pinned.bytes;
    this.#unlist(key);
  }

  #list(account: string, key: string): void {
    const keys = this.#keys.get(account) ?? new Set();
    this.#keys.set(account, keys);
    keys.add(key);
  }

  #unlist(key: string): void {
    const account = key.slice(0, key.indexOf('\0'));
    const keys = this.#keys.get(account);
    keys?.delete(key);
    if (keys?.size === 0) this.#keys.delete(account);
  }
}

/** Ends a view that its connection may follow for hours. A busy reader abandons its view later: see `#grown`. */
function letGo(reader: MailboxReader): void {
  if (!reader.busy) reader.view.abandon();
}

function sizeOf(key: string, bytes: number): number {
  return ENTRY_BYTES + bytesOfString(key) + bytes;
}

function entryKey(account: string, kind: 'folder' | 'body' | 'answer' | 'made' | 'found', name: string): string {
  return `${account}\0${kind}\0${name}`;
}
