import { BrokerError } from '../../protocol/errors.js';
import type { ImapConnection } from '../connection/connection.js';
import { encodedBound, type WantedText } from '../mime/open-text.js';
import type { ImapArgument } from '../wire/tokens.js';
import { bytesOf } from '../wire/tokens.js';
import { type FetchedRow, fetchRows, peek, survivingExpunge } from './fetch-rows.js';

/** Where the texts of most messages are: plain text, or what there is alone; and html beside it. */
const GUESSED_TEXT = '1';
const GUESSED_HTML = '2';
/** Characters of a command's items, so that its line stays below the 8,192 that servers must take (RFC 7162 section 4). */
const ITEM_CHARACTERS = 6000;
/** Bytes that a guess may bring in vain, of one part and of all messages of a request. */
const GUESSED_OF_PART = 32 * 1024;
const GUESSED_AT_ONCE = 128 * 1024;
/** Less of a part would seldom be all of it. */
const LEAST_GUESSED = 4 * 1024;

/** Connections whose server refuses to be asked for parts that may not be there. */
const unwilling = new WeakSet<ImapConnection>();

/** A range of the encoded bytes of a part. */
interface Lacking {
  part: string;
  start: number;
  length: number;
}

/** What is known of a message, as far as its texts are concerned. */
export interface Texts {
  uid: number;
  wanted: readonly WantedText[];
}

/**
 * The encoded bytes of messages' texts. Which parts those are only the structure tells, so that it takes two round trips
 * to get both; most often one is enough, because the beginning of the parts that are texts in most messages is
 * asked for together with the structure. Only what that did not bring is asked for afterwards.
 */
export class TextBytes {
  readonly #connection: ImapConnection;
  readonly #maxBytes: number;
  readonly #guessedParts: readonly string[];
  /** By uid and part. */
  readonly #found = new Map<number, Map<string, Buffer>>();
  #guessed = 0;

  constructor(connection: ImapConnection, maxBytes: number, only: 'text' | 'html' | undefined) {
    this.#connection = connection;
    this.#maxBytes = maxBytes;
    this.#guessedParts = only === 'text' ? [GUESSED_TEXT] : [GUESSED_TEXT, GUESSED_HTML];
  }

  /**
   * Fetches items of messages and the beginning of their texts, which is kept here.
   * @param reduce what becomes of a message, as in {@link fetchRows}
   */
  async fetchWith<T>(
    uids: readonly number[],
    items: readonly ImapArgument[],
    reduce: (row: FetchedRow) => T,
  ): Promise<T[]> {
    const length = this.#guess(uids.length);
    const options = {
      reduce: (row: FetchedRow) => {
        this.#take(row, length);
        return reduce(row);
      },
    };
    const fetch = (more: readonly ImapArgument[]) =>
      survivingExpunge(this.#connection, () =>
        fetchRows(this.#connection, uids.join(','), [...items, ...more], 'uid', options),
      );
    if (length === 0) return fetch([]);
    try {
      const rows = await fetch(this.#guessedParts.map((part) => peek(part, { start: 0, length })));
      this.#guessed = length;
      return rows;
    } catch (failure) {
      if (!(failure instanceof BrokerError) || failure.kind !== 'IMAP_NO') throw failure;
      const rows = await fetch([]);
      unwilling.add(this.#connection);
      return rows;
    }
  }

  /** What is still to be fetched of a message's texts. */
  lacking({ uid, wanted }: Texts): Lacking[] {
    return wanted.flatMap(({ node, maxBytes }) => {
      const bound = encodedBound(node, maxBytes);
      const have = this.#found.get(uid)?.get(node.part)?.length;
      // Shorter than it should be: of another opinion about the part.
      if (have === undefined || have < Math.min(node.encodedSize ?? 0, this.#guessed)) {
        return [{ part: node.part, start: 0, length: bound }];
      }
      const more = have === this.#guessed && have < bound;
      return more ? [{ part: node.part, start: have, length: bound - have }] : [];
    });
  }

  /** Fetches what is lacking of messages that lack the same. */
  async fetch(messages: readonly Texts[]): Promise<void> {
    const [first] = messages;
    const set = messages.map(({ uid }) => uid).join(',');
    for (const lacking of first ? portions(this.lacking(first)) : []) {
      const items = lacking.map(({ part, start, length }) => peek(part, { start, length }));
      const rows = await survivingExpunge(this.#connection, () => fetchRows(this.#connection, set, items, 'uid'));
      for (const { uid, items: found } of rows) {
        for (const { part, start } of lacking) {
          const bytes = bytesOf(found.get(`BODY[${part}]`)) ?? Buffer.alloc(0);
          const begun = start === 0 ? undefined : this.#found.get(uid)?.get(part);
          this.#keep(uid, part, begun ? Buffer.concat([begun, bytes]) : bytes);
        }
      }
    }
  }

  /** The encoded bytes of a part, as far as they have been fetched. */
  of(uid: number, part: string): Buffer | undefined {
    return this.#found.get(uid)?.get(part);
  }

  /** Bytes of each part that are worth a guess. */
  #guess(messages: number): number {
    if (this.#maxBytes === 0 || unwilling.has(this.#connection)) return 0;
    const share = Math.floor(GUESSED_AT_ONCE / this.#guessedParts.length / messages);
    if (share < LEAST_GUESSED) return 0;
    return Math.min(share, GUESSED_OF_PART, encodedBound({ encoding: 'quoted-printable' }, this.#maxBytes));
  }

  #take({ uid, items }: FetchedRow, most: number): void {
    for (const part of this.#guessedParts) {
      const bytes = bytesOf(items.get(`BODY[${part}]`));
      // More than was asked for is not kept.
      if (bytes) this.#keep(uid, part, bytes.length > most ? Buffer.from(bytes.subarray(0, most)) : bytes);
    }
  }

  #keep(uid: number, part: string, bytes: Buffer): void {
    const parts = this.#found.get(uid);
    if (parts) parts.set(part, bytes);
    else this.#found.set(uid, new Map([[part, bytes]]));
  }
}

/** Cut into so many items as one command can name. */
function portions(lacking: readonly Lacking[]): Lacking[][] {
  const all: Lacking[][] = [];
  let room = 0;
  for (const one of lacking) {
    const length = one.part.length + 40;
    if (length > room) {
      all.push([]);
      room = ITEM_CHARACTERS;
    }
    all.at(-1)?.push(one);
    room -= length;
  }
  return all;
}
