import { BrokerError } from '../../protocol/errors.js';
import type { ImapConnection } from '../connection/connection.js';
import { tooLarge } from '../wire/errors.js';
import type { UntaggedResponse } from '../wire/response.js';
import { atom, type ImapArgument, type ImapAttribute, type ImapToken, nzNumberOf, sequence } from '../wire/tokens.js';

/** The fetched items of one message, by item in upper case, for instance `FLAGS` or `BODY[1.2]`. */
export interface FetchedRow {
  uid: number;
  items: ReadonlyMap<string, ImapAttribute>;
  /** Items that could not be read, or only in part. */
  unreadable: ReadonlySet<string>;
}

/** Options of {@link fetchRows}. */
export interface FetchOptions<T> {
  /**
   * Converts each row as soon as it is complete, so that a batch holds the results and not the tokens of all rows. The
   * default keeps the row.
   */
  reduce?: (row: FetchedRow) => T;
  /** Called for later items of a message whose row is complete already: flags that changed meanwhile. */
  amend?: (row: T, items: ReadonlyMap<string, ImapAttribute>) => void;
  /** Memory for the octets of the first large literal, whose value is then a part of this buffer. */
  landing?: Buffer | undefined;
}

/** Most bytes of unconverted rows that are kept in one command. */
export const MOST_KEPT_BYTES = 64 * 1024 * 1024;
/** Most rows of one command; the largest commands of the broker ask for a few thousand. */
const MOST_ROWS = 200_000;

const nothing: ReadonlySet<string> = new Set();

/** An item of BODY.PEEK: a section such as `1.2` or `HEADER`, optionally a byte range of it. Sets no \Seen. */
export function peek(section: string, partial?: { start: number; length: number }): ImapArgument {
  const token: ImapToken = { type: 'ATOM', value: 'BODY.PEEK', section: section === '' ? [] : [atom(section)] };
  if (partial) token.partial = [partial.start, partial.length];
  return token;
}

/**
 * These header lines of a message, or of the message attached as a part (RFC 9051 section 6.4.5.1), optionally a byte
 * range of them. Sets no \Seen.
 */
export function peekHeaders(
  names: readonly string[],
  { part, partial }: { part?: string | undefined; partial?: { start: number; length: number } } = {},
): ImapArgument {
  const item = atom(part === undefined ? 'HEADER.FIELDS' : `${part}.HEADER.FIELDS`);
  const list = names.map((value): ImapToken => ({ type: isPlainName(value) ? 'ATOM' : 'STRING', value }));
  const token: ImapToken = { type: 'ATOM', value: 'BODY.PEEK', section: [item, list] };
  if (partial) token.partial = [partial.start, partial.length];
  return token;
}

function isPlainName(name: string): boolean {
  return /^[A-Za-z][A-Za-z0-9-]*$/.test(name) && name.toUpperCase() !== 'NIL';
}

/**
 * FETCH. One row for each message whose response has a uid, in no order. Unsolicited responses (changed flags, RFC 9051
 * section 7.5.2) never make a row. A response that cannot be read affects its own row only.
 * @throws BrokerError TOO_LARGE when unconverted rows exceed 64 MiB; what `reduce` throws, and what commands throw
 */
export async function fetchRows<T = FetchedRow>(
  connection: ImapConnection,
  set: string,
  items: readonly ImapArgument[],
  by: 'uid' | 'sequence',
  options: FetchOptions<T> = {},
): Promise<T[]> {
  const rows = new RowCollector(connection, items, options);
  const command = by === 'uid' ? 'UID FETCH' : 'FETCH';
  const args = [sequence(set), [atom('UID'), ...items]];
  const take = { FETCH: (response: UntaggedResponse) => rows.take(response) };
  await connection.exec('read', command, args, take, { landing: options.landing });
  return rows.finish();
}

/** The row of a message whose items have not all arrived. */
interface OpenRow {
  items: Map<string, ImapAttribute>;
  unreadable: Set<string>;
}

class RowCollector<T> {
  readonly #connection: ImapConnection;
  readonly #options: FetchOptions<T>;
  readonly #asked: readonly string[];
  /** Whether all requested items are ones that servers also send unsolicited. */
  readonly #announced: boolean;
  readonly #open = new Map<number, OpenRow>();
  readonly #done = new Map<number, T>();
  #bytes = 0;

  constructor(connection: ImapConnection, items: readonly ImapArgument[], options: FetchOptions<T>) {
    this.#connection = connection;
    this.#options = options;
    this.#asked = items.map(answeredAs);
    this.#announced = this.#asked.every(isAnnounced);
  }

  take(response: UntaggedResponse): void {
    const uid = nzNumberOf(response.items.get('UID'));
    if (response.damaged || response.cut.length > 0) {
      const items = response.damaged ? this.#asked.filter((item) => !response.items.has(item)) : response.cut;
      this.#connection.noteUnreadable({ response: 'FETCH', uid, items });
    }
    if (uid === undefined) return;
    const done = this.#done.get(uid);
    if (done !== undefined) {
      this.#amend(done, response.items);
      return;
    }
    this.#limit(response);
    const row = this.#merge(uid, response);
    if (this.#isWhole(row)) this.#finishRow(uid, row);
  }

  finish(): T[] {
    for (const [uid, row] of this.#open) {
      if (this.#announced || [...row.items.keys()].some((item) => !isAnnounced(item))) this.#finishRow(uid, row);
    }
    return [...this.#done.values()];
  }

  #merge(uid: number, { items, cut, damaged }: UntaggedResponse): OpenRow {
    let row = this.#open.get(uid);
    if (row) for (const [name, value] of items) row.items.set(name, value);
    else row = { items: new Map(items), unreadable: new Set() };
    this.#open.set(uid, row);
    for (const item of cut) row.unreadable.add(item);
    if (damaged) for (const item of this.#asked) if (!row.items.has(item)) row.unreadable.add(item);
    return row;
  }

  #amend(row: T, items: ReadonlyMap<string, ImapAttribute>): void {
    if (this.#options.amend) this.#options.amend(row, items);
    else if (!this.#options.reduce) for (const [name, value] of items) (row as OpenRow).items.set(name, value);
  }

  #isWhole({ items, unreadable }: OpenRow): boolean {
    return !this.#announced && this.#asked.every((item) => items.has(item) || unreadable.has(item));
  }

  #finishRow(uid: number, { items, unreadable }: OpenRow): void {
    this.#open.delete(uid);
    const row = { uid, items, unreadable: unreadable.size > 0 ? unreadable : nothing };
    const { reduce } = this.#options;
    this.#done.set(uid, reduce ? reduce(row) : (row as T));
  }

  #limit({ size }: UntaggedResponse): void {
    if (!this.#options.reduce) this.#bytes += size;
    if (this.#bytes > MOST_KEPT_BYTES) this.#connection.giveUp(tooLarge('bytes of rows', MOST_KEPT_BYTES));
    if (this.#done.size + this.#open.size > MOST_ROWS) this.#connection.giveUp(tooLarge('rows', MOST_ROWS));
  }
}

/** Whether servers send an item unsolicited; with QRESYNC the uid is one of them (RFC 7162 section 3.2.3). */
function isAnnounced(name: string): boolean {
  return name === 'UID' || name === 'FLAGS' || name === 'MODSEQ';
}

/** The response item for an item of the command: BODY.PEEK[1] is answered by BODY[1]. */
function answeredAs(item: ImapArgument): string {
  if (typeof item !== 'object' || !('value' in item)) return '';
  const { value, section } = item as ImapToken;
  const name = String(value).toUpperCase().replace('.PEEK', '');
  const [part] = section ?? [];
  return section ? `${name}[${part && !Array.isArray(part) ? String(part.value).toUpperCase() : ''}]` : name;
}

/**
 * Repeats a fetch once that the server refused because another client expunged some of the messages (EXPUNGEISSUED,
 * RFC 5530), after a NOOP that lets the server report which ones.
 */
export async function survivingExpunge<T>(connection: ImapConnection, fetch: () => Promise<T>): Promise<T> {
  try {
    return await fetch();
  } catch (failure) {
    if (!(failure instanceof BrokerError) || failure.imap?.code !== 'EXPUNGEISSUED') throw failure;
    await connection.noop();
    return fetch();
  }
}
