import { BrokerError } from '../../protocol/errors.js';
import type { ImapConnection } from '../connection/connection.js';
import { atom, bytesOf, type ImapArgument, type ImapToken, numberOf } from '../wire/tokens.js';
import { type FetchedRow, fetchRows, peek } from './fetch-rows.js';

/** Bytes of a piece as long as the reader is slower than the server, and else: larger ones save round trips. */
const FIRST_BYTES = 256 * 1024;
const MOST_BYTES = 512 * 1024;
/** Memory of pieces that have been read, for the next download too: new memory of this size is garbage that counts as urgent. */
const spare: Buffer[] = [];
const MOST_SPARE = 4;

/** What is known of a message, and the first piece of a part of it, which the download takes over. */
export interface BegunDownload {
  row: FetchedRow;
  begun: Buffer[];
  /** Whether that piece is all of it. */
  whole: boolean;
}

/**
 * Fetches an item that tells what a part, or the whole message for an empty part, is like. Its first piece comes with it,
 * if a server sends that for a part which may not be there.
 * @throws BrokerError NOT_FOUND when there is no such message
 */
export async function beginDownload(
  connection: ImapConnection,
  uid: number,
  part: string,
  item: 'BODYSTRUCTURE' | 'RFC822.SIZE',
  { from, to }: { from: number; to: number } = { from: 0, to: Infinity },
): Promise<BegunDownload> {
  const range = { start: from, length: Math.max(1, Math.min(FIRST_BYTES, to - from)) };
  const { row, begun } = await begin(connection, uid, part, item, range);
  return { row, begun: begun ? [begun] : [], whole: begun !== undefined && begun.length < range.length };
}

async function begin(
  connection: ImapConnection,
  uid: number,
  part: string,
  item: 'BODYSTRUCTURE' | 'RFC822.SIZE',
  range: { start: number; length: number },
): Promise<{ row: FetchedRow; begun: Buffer | undefined }> {
  const first = peek(part, range);
  const fetch = async (more: (typeof first)[]) => {
    const rows = await fetchRows(connection, String(uid), [atom(item), ...more], 'uid');
    return rows.find((one) => one.uid === uid);
  };
  const row = await fetch([first]).catch((failure: unknown) => {
    if (failure instanceof BrokerError && failure.kind === 'IMAP_NO') return fetch([]);
    throw failure;
  });
  if (!row) throw new BrokerError('NOT_FOUND', `uid: there is no message ${uid}.`, { field: 'uid' });
  return { row, begun: bytesOf(row.items.get(`BODY[${part}]`)) };
}

/** Bytes of a part that are looked at before any range of it is fetched: a small part is whole then. */
const HEAD_BYTES = 4 * 1024;

/** What is known of a message, and the beginning of a part of it. */
export interface PartHead {
  row: FetchedRow;
  head: Buffer;
  /** Whether that is all of the part. */
  whole: boolean;
}

/**
 * Fetches what a part is like, and its beginning, before a range of it is fetched.
 * @throws BrokerError NOT_FOUND when there is no such message
 */
export async function beginRange(connection: ImapConnection, uid: number, part: string): Promise<PartHead> {
  const { row, begun } = await begin(connection, uid, part, 'BODYSTRUCTURE', { start: 0, length: HEAD_BYTES });
  return { row, head: begun ?? Buffer.alloc(0), whole: begun !== undefined && begun.length < HEAD_BYTES };
}

/** The size of a part once it is decoded, and the first bytes of a range of it. */
export interface BinaryRange {
  size: number;
  begun: Buffer[];
}

/**
 * The beginning of a range of a part that the server has decoded (RFC 3516); undefined where it does not offer that, or
 * cannot decode this one.
 */
export async function beginBinary(
  connection: ImapConnection,
  uid: number,
  part: string,
  { from, to }: { from: number; to: number },
): Promise<BinaryRange | undefined> {
  if (!connection.has('BINARY')) return undefined;
  const size: ImapToken = { type: 'ATOM', value: 'BINARY.SIZE', section: [atom(part)] };
  const range = { start: from, length: Math.max(1, Math.min(FIRST_BYTES, to - from)) };
  try {
    const rows = await fetchRows(connection, String(uid), [size, binary(part, range)], 'uid');
    const items = rows.find((one) => one.uid === uid)?.items;
    const bytes = bytesOf(items?.get(`BINARY[${part}]`));
    const total = numberOf(items?.get(`BINARY.SIZE[${part}]`));
    return bytes && total !== undefined ? { size: total, begun: [bytes] } : undefined;
  } catch (failure) {
    // UNKNOWN-CTE, as a rule: damaged, or of an encoding that the server does not know.
    if (failure instanceof BrokerError && failure.kind === 'IMAP_NO') return undefined;
    throw failure;
  }
}

/** A range of a part as the server decodes it. */
function binary(part: string, { start, length }: { start: number; length: number }): ImapArgument {
  const token: ImapToken & { partial: number[] } = {
    type: 'ATOM',
    value: 'BINARY.PEEK',
    section: [atom(part)],
    partial: [start, length],
  };
  return token;
}

/** How to download. */
export interface DownloadOptions {
  from?: number;
  /** Bytes from here on are not wanted, nor fetched ahead. */
  to?: number;
  /** Bytes of the whole part as the server stated them; more are an error: they are of the next part (UW-IMAP sends such). */
  total?: number | undefined;
  /** Whether the server is to decode the part. */
  decoded?: boolean;
  /** The first piece, where that has come already. */
  begun?: Buffer[];
  /** Whether the reader needs a piece no more when it asks for the next: the memory of the piece is used again. */
  reuse?: boolean;
}

interface Piece {
  size: number;
  bytes: Promise<Buffer>;
  /** Whether it came before the reader wanted it. Assumed of the first piece, for which it is not known yet. */
  early: boolean;
  /** The memory that was offered for it. */
  landing?: Buffer | undefined;
}

/**
 * The bytes of a part, or of the whole message for an empty part, as the server has them, in pieces. While the reader is
 * busy with one piece the next is fetched, no more; pieces grow where the reader waits for them. A reader that
 * stops waits for the end of the piece under way, so that the connection can be lent again.
 * @throws BrokerError NOT_FOUND when the message vanishes meanwhile, IMAP_NO when more comes than there is
 */
export async function* download(
  connection: ImapConnection,
  uid: number,
  part: string,
  { from = 0, to = Infinity, total = Infinity, begun = [], reuse = false, decoded = false }: DownloadOptions = {},
): AsyncGenerator<Buffer, void, void> {
  let start = from;
  let came = from;
  const ask = (most: number): Piece | undefined => {
    const size = Math.min(most, to - start);
    if (size <= 0) return undefined;
    const landing = reuse ? (spare.pop() ?? Buffer.allocUnsafeSlow(MOST_BYTES)) : undefined;
    const piece: Piece = {
      size,
      bytes: fetchPiece(connection, uid, part, { start, length: size }, decoded, landing),
      early: start === from,
      landing,
    };
    start += size;
    const come = () => {
      piece.early = true;
    };
    // Awaited later, if ever.
    piece.bytes.then(come, come);
    return piece;
  };
  const first = begun.shift();
  const firstBytes = Math.min(FIRST_BYTES, to - from);
  if (first) start += firstBytes;
  let next: Piece | undefined = first
    ? { size: firstBytes, bytes: Promise.resolve(first), early: true }
    : ask(FIRST_BYTES);
  try {
    while (next) {
      const { size, early, landing }: Piece = next;
      const bytes: Buffer = await next.bytes;
      came += bytes.length;
      if (bytes.length > size || came > total) throw tooLong(part);
      const wanted: number = early ? FIRST_BYTES : MOST_BYTES;
      next = bytes.length < size ? undefined : ask(wanted);
      if (bytes.length > 0) yield bytes;
      if (landing && spare.length < MOST_SPARE) spare.push(landing);
    }
  } finally {
    await next?.bytes.catch(() => {});
  }
}

function tooLong(part: string): BrokerError {
  return new BrokerError('IMAP_NO', `part: the IMAP server sends more of part ${part} than it says there is.`, {
    field: 'part',
  });
}

async function fetchPiece(
  connection: ImapConnection,
  uid: number,
  part: string,
  range: { start: number; length: number },
  decoded: boolean,
  landing: Buffer | undefined,
): Promise<Buffer> {
  const item = decoded ? binary(part, range) : peek(part, range);
  const rows = await fetchRows(connection, String(uid), [item], 'uid', { landing });
  const row = rows.find((one) => one.uid === uid);
  // An empty piece is "", as past the end (RFC 3501, section 6.4.5); NIL is what is left of a message that was deleted.
  const bytes = bytesOf(row?.items.get(`${decoded ? 'BINARY' : 'BODY'}[${part}]`));
  if (!bytes) throw new BrokerError('NOT_FOUND', `uid: message ${uid} has vanished.`, { field: 'uid' });
  return bytes;
}
