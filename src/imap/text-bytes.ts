import { BrokerError } from '../protocol/errors.js';
import type { Structure } from '../protocol/models.js';
import type { ImapConnection } from './connection.js';
import { bytesOf, type FetchedRow, fetchRows, peek, survivingExpunge } from './fetch-rows.js';
import { encodedBound } from './mime/open-text.js';
import type { ImapArgument, ImapAttribute } from './raw-exec.js';

/** Where the texts of most messages are. */
const GUESSED_PARTS = ['1', '2'];
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
  nodes: readonly Structure[];
}

/**
 * The encoded bytes of messages' texts. Which parts those are only the structure tells, so that it takes two round trips
 * to get both; most often one is enough, because the beginning of the parts that are texts in most messages is
 * asked for together with the structure. Only what that did not bring is asked for afterwards.
 */
export class TextBytes {
  readonly #connection: ImapConnection;
  readonly #maxBytes: number;
  /** By uid and part. */
  readonly #found = new Map<number, Map<string, Buffer>>();
  #guessed = 0;

  constructor(connection: ImapConnection, maxBytes: number) {
    this.#connection = connection;
    this.#maxBytes = maxBytes;
  }

  /** Fetches items of messages and the beginning of their texts, which is not in the rows. */
  async fetchWith(uids: readonly number[], items: readonly ImapArgument[]): Promise<FetchedRow[]> {
    const fetch = (more: readonly ImapArgument[]) =>
      survivingExpunge(this.#connection, () => fetchRows(this.#connection, uids.join(','), [...items, ...more], 'uid'));
    const length = this.#guess(uids.length);
    if (length === 0) return fetch([]);
    try {
      const rows = await fetch(GUESSED_PARTS.map((part) => peek(part, { start: 0, length })));
      this.#guessed = length;
      return rows.map((row) => this.#take(row));
    } catch (failure) {
      if (!(failure instanceof BrokerError) || failure.kind !== 'IMAP_NO') throw failure;
      const rows = await fetch([]);
      unwilling.add(this.#connection);
      return rows;
    }
  }

  /** What is still to be fetched of a message's texts. */
  lacking({ uid, nodes }: Texts): Lacking[] {
    return nodes.flatMap((node) => {
      const bound = encodedBound(node, this.#maxBytes);
      const have = this.#found.get(uid)?.get(node.part)?.length;
      // Shorter than it should be: of another opinion about the part.
      if (have === undefined || have < Math.min(node.size ?? 0, this.#guessed)) {
        return [{ part: node.part, start: 0, length: bound }];
      }
      const more = have === this.#guessed && have < bound;
      return more ? [{ part: node.part, start: have, length: bound - have }] : [];
    });
  }

  /** Fetches what is lacking of messages that lack the same. */
  async fetch(messages: readonly Texts[]): Promise<void> {
    const [first] = messages;
    const lacking = first ? this.lacking(first) : [];
    if (lacking.length === 0) return;
    const items = lacking.map(({ part, start, length }) => peek(part, { start, length }));
    const set = messages.map(({ uid }) => uid).join(',');
    const rows = await survivingExpunge(this.#connection, () => fetchRows(this.#connection, set, items, 'uid'));
    for (const { uid, items: found } of rows) {
      for (const { part, start } of lacking) {
        const bytes = bytesOf(found.get(`BODY[${part}]`)) ?? Buffer.alloc(0);
        const begun = start === 0 ? undefined : this.#found.get(uid)?.get(part);
        this.#keep(uid, part, begun ? Buffer.concat([begun, bytes]) : bytes);
      }
    }
  }

  /** The encoded bytes of a text, so many as are needed. */
  of(uid: number, node: Structure): Buffer {
    const bytes = this.#found.get(uid)?.get(node.part) ?? Buffer.alloc(0);
    return bytes.subarray(0, encodedBound(node, this.#maxBytes));
  }

  /** Bytes of each part that are worth a guess. */
  #guess(messages: number): number {
    if (this.#maxBytes === 0 || unwilling.has(this.#connection)) return 0;
    const share = Math.floor(GUESSED_AT_ONCE / GUESSED_PARTS.length / messages);
    if (share < LEAST_GUESSED) return 0;
    return Math.min(share, GUESSED_OF_PART, encodedBound({ encoding: 'quoted-printable' }, this.#maxBytes));
  }

  #take(row: FetchedRow): FetchedRow {
    const items = new Map<string, ImapAttribute>(row.items);
    for (const part of GUESSED_PARTS) {
      const bytes = bytesOf(items.get(`BODY[${part}]`));
      if (bytes) this.#keep(row.uid, part, bytes);
      items.delete(`BODY[${part}]`);
    }
    return { uid: row.uid, items };
  }

  #keep(uid: number, part: string, bytes: Buffer): void {
    const parts = this.#found.get(uid);
    if (parts) parts.set(part, bytes);
    else this.#found.set(uid, new Map([[part, bytes]]));
  }
}
