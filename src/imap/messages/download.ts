import { BrokerError } from '../../protocol/errors.js';
import type { ImapConnection } from '../connection/connection.js';
import { atom, bytesOf, type ImapArgument, type ImapToken, numberOf } from '../wire/tokens.js';
import { type FetchedRow, fetchRows, peek } from './fetch-rows.js';

/** Bytes of a piece while the reader is slower than the server, and while it is faster: fewer round trips then. */
const FIRST_BYTES = 256 * 1024;
const MOST_BYTES = 512 * 1024;
/** Buffers of pieces that have been read, for reuse: allocating buffers of this size puts pressure on the collector. */
const spare: Buffer[] = [];
const MOST_SPARE = 4;

/** The FETCH row of a message, and the first piece of a part, which is passed on to the download. */
export interface BegunDownload {
  row: FetchedRow;
  begun: Buffer[];
  /** Whether the piece is the whole part. */
  whole: boolean;
}

/**
 * Fetches an item that describes a part, or the whole message for an empty part. The first piece of the part comes with
 * the item, unless the server refuses to send a part that may not exist.
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

/** Bytes from the beginning of a part that are fetched before any range: a small part is complete then. */
const HEAD_BYTES = 4 * 1024;

/** The FETCH row of a message, and the beginning of a part. */
export interface PartHead {
  row: FetchedRow;
  head: Buffer;
  /** Whether `head` is the whole part. */
  whole: boolean;
}

/**
 * Fetches the description of a part, and its beginning, before a range of it is fetched.
 * @throws BrokerError NOT_FOUND when there is no such message
 */
export async function beginRange(connection: ImapConnection, uid: number, part: string): Promise<PartHead> {
  const { row, begun } = await begin(connection, uid, part, 'BODYSTRUCTURE', { start: 0, length: HEAD_BYTES });
  return { row, head: begun ?? Buffer.alloc(0), whole: begun !== undefined && begun.length < HEAD_BYTES };
}

/** The decoded size of a part, and the first bytes of a range of it. */
export interface BinaryRange {
  size: number;
  begun: Buffer[];
}

/**
 * The beginning of a range of a part that the server decodes (RFC 3516); undefined where the server has no BINARY, or
 * cannot decode this part.
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
    // Usually UNKNOWN-CTE: the part is damaged, or the server does not know its encoding.
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

/** Options of {@link download}. */
export interface DownloadOptions {
  from?: number;
  /** End of the range, exclusive: nothing beyond it is fetched. */
  to?: number;
  /** Size of the whole part as the server stated it; more bytes are an error: UW-IMAP sends some of the next part. */
  total?: number | undefined;
  /** Whether the server is to decode the part. */
  decoded?: boolean;
  /** The first piece, where it was fetched already. */
  begun?: Buffer[];
  /** Whether the reader is done with a piece when it asks for the next: then the memory of the piece is reused. */
  reuse?: boolean;
}

interface Piece {
  size: number;
  bytes: Promise<Buffer>;
  /** Whether the piece arrived before the reader asked for it; assumed for the first piece, for lack of data. */
  early: boolean;
  /** The memory offered for the piece. */
  landing?: Buffer | undefined;
}

/**
 * The bytes of a part, or of the whole message for an empty part, as the server stores them, in pieces. While the
 * reader processes one piece, only the next is fetched; pieces are larger while the reader waits for them. A reader
 * that stops early waits for the piece under way, so that the connection can be lent again.
 * @throws BrokerError NOT_FOUND when the message vanishes, IMAP_NO when the server sends more than the part has
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
  // An empty piece, as past the end, is "" (RFC 3501 section 6.4.5); NIL means that the message was deleted.
  const bytes = bytesOf(row?.items.get(`${decoded ? 'BINARY' : 'BODY'}[${part}]`));
  if (!bytes) throw new BrokerError('NOT_FOUND', `uid: message ${uid} has vanished.`, { field: 'uid' });
  return bytes;
}
