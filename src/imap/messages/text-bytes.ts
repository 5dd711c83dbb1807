import { BrokerError } from '../../protocol/errors.js';
import type { ImapConnection } from '../connection/connection.js';
import { encodedBound, type WantedText } from '../mime/open-text.js';
import type { ImapArgument } from '../wire/tokens.js';
import { bytesOf } from '../wire/tokens.js';
import { type FetchedRow, fetchRows, peek, survivingExpunge } from './fetch-rows.js';

/** The parts with the texts of most messages: plain text, or the only text; and html next to it. */
const GUESSED_TEXT = '1';
const GUESSED_HTML = '2';
/** Most characters of a command's items, to keep its line below the 8,192 octets of RFC 7162 section 4. */
const ITEM_CHARACTERS = 6000;
/** Most bytes that a wrong guess may fetch, of one part and of all messages of a request. */
const GUESSED_OF_PART = 32 * 1024;
const GUESSED_AT_ONCE = 128 * 1024;
/** Smallest guess that is worth it: fewer bytes are rarely a whole part. */
const LEAST_GUESSED = 4 * 1024;

/** Connections whose server refuses a FETCH of parts that may not exist. */
const unwilling = new WeakSet<ImapConnection>();

/** A range of the encoded bytes of a part. */
interface Lacking {
  part: string;
  start: number;
  length: number;
}

/** The texts that are wanted of a message. */
export interface Texts {
  uid: number;
  wanted: readonly WantedText[];
}

/**
 * The encoded bytes of messages' texts. Which parts those are is known only from the structure, so the texts would take
 * a second round trip. Usually one is enough, because the beginning of those parts that are texts in most messages is
 * fetched together with the structure. Only bytes that are still missing are fetched afterwards.
 */
export class TextBytes {
  readonly #connection: ImapConnection;
  readonly #maxBytes: number;
  readonly #part: string | undefined;
  readonly #guessedParts: readonly string[];
  /** Fetched bytes, by uid and part. */
  readonly #found = new Map<number, Map<string, Buffer>>();
  #guessed = 0;

  /** @param part the attached message whose texts are meant; undefined for the messages themselves */
  constructor(
    connection: ImapConnection,
    maxBytes: number,
    only: 'text' | 'html' | undefined,
    part: string | undefined,
  ) {
    this.#connection = connection;
    this.#maxBytes = maxBytes;
    this.#part = part;
    const guessed = only === 'text' ? [GUESSED_TEXT] : [GUESSED_TEXT, GUESSED_HTML];
    this.#guessedParts = guessed.map((number) => (part === undefined ? number : `${part}.${number}`));
  }

  /**
   * Fetches items of messages and the beginning of their texts, which this object keeps.
   * @param reduce converts each row, as in {@link fetchRows}
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
      // The attached message may not exist: then the server is willing.
      if (this.#part === undefined) unwilling.add(this.#connection);
      return rows;
    }
  }

  /** The ranges of a message's texts that are still to be fetched. */
  lacking({ uid, wanted }: Texts): Lacking[] {
    return wanted.flatMap(({ node, maxBytes }) => {
      const bound = encodedBound(node, maxBytes);
      const have = this.#found.get(uid)?.get(node.part)?.length;
      // Nothing was fetched, or fewer bytes than the structure states: the guess does not match the part.
      if (have === undefined || have < Math.min(node.encodedSize ?? 0, this.#guessed)) {
        return [{ part: node.part, start: 0, length: bound }];
      }
      const more = have === this.#guessed && have < bound;
      return more ? [{ part: node.part, start: have, length: bound - have }] : [];
    });
  }

  /** Fetches the missing ranges of messages that all lack the same ranges. */
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

  /** Bytes of each guessed part to fetch; 0 for no guess. */
  #guess(messages: number): number {
    if (this.#maxBytes === 0 || unwilling.has(this.#connection)) return 0;
    const share = Math.floor(GUESSED_AT_ONCE / this.#guessedParts.length / messages);
    if (share < LEAST_GUESSED) return 0;
    return Math.min(share, GUESSED_OF_PART, encodedBound({ encoding: 'quoted-printable' }, this.#maxBytes));
  }

  #take({ uid, items }: FetchedRow, most: number): void {
    for (const part of this.#guessedParts) {
      const bytes = bytesOf(items.get(`BODY[${part}]`));
      // Bytes beyond the requested ones are dropped.
      if (bytes) this.#keep(uid, part, bytes.length > most ? Buffer.from(bytes.subarray(0, most)) : bytes);
    }
  }

  #keep(uid: number, part: string, bytes: Buffer): void {
    const parts = this.#found.get(uid);
    if (parts) parts.set(part, bytes);
    else this.#found.set(uid, new Map([[part, bytes]]));
  }
}

/** Splits ranges into groups that fit into one command each. */
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
