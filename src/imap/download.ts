import { BrokerError } from '../protocol/errors.js';
import type { ImapConnection } from './connection.js';
import { type FetchedRow, fetchRows, peek } from './fetch-rows.js';
import { atom, bytesOf } from './wire/tokens.js';

/** Bytes of a piece as long as the reader is slower than the server, and else: larger ones save round trips. */
const FIRST_BYTES = 256 * 1024;
const MOST_BYTES = 512 * 1024;
/** Memory of pieces that nobody is in, for the next download too: new memory of this size is garbage that counts as urgent. */
const spare: Buffer[] = [];
const MOST_SPARE = 4;

/** What is known of a message, and the first piece of a part of it; that is taken by whoever downloads it. */
export interface BegunDownload {
  row: FetchedRow;
  begun: Buffer[];
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
): Promise<BegunDownload> {
  const first = peek(part, { start: 0, length: FIRST_BYTES });
  const fetch = async (more: (typeof first)[]) => {
    const rows = await fetchRows(connection, String(uid), [atom(item), ...more], 'uid');
    return rows.find((one) => one.uid === uid);
  };
  const row = await fetch([first]).catch((failure: unknown) => {
    if (failure instanceof BrokerError && failure.kind === 'IMAP_NO') return fetch([]);
    throw failure;
  });
  if (!row) throw new BrokerError('NOT_FOUND', `uid: there is no message ${uid}.`, { field: 'uid' });
  const bytes = bytesOf(row.items.get(`BODY[${part}]`));
  return { row, begun: bytes ? [bytes] : [] };
}

/** How to download. */
export interface DownloadOptions {
  from?: number;
  /** The first piece, where that has come already. */
  begun?: Buffer[];
  /** Whether whoever asks for the next piece needs the last no more: its memory is used again. */
  reuse?: boolean;
}

interface Piece {
  size: number;
  bytes: Promise<Buffer>;
  /** Whether it came before the reader wanted it. Assumed of the first, with which nobody knows yet. */
  early: boolean;
  /** The memory that was offered for it. */
  landing?: Buffer | undefined;
}

/**
 * The bytes of a part, or of the whole message for an empty part, as the server has them, in pieces. While the reader is
 * busy with one piece the next is fetched, no more; pieces grow where the reader waits for them. Whoever stops
 * reading waits for the end of the piece under way, so that the connection can be lent again.
 * @throws BrokerError NOT_FOUND when the message vanishes meanwhile
 */
export async function* download(
  connection: ImapConnection,
  uid: number,
  part: string,
  { from = 0, begun = [], reuse = false }: DownloadOptions = {},
): AsyncGenerator<Buffer, void, void> {
  let start = from;
  const ask = (size: number): Piece => {
    const landing = reuse ? (spare.pop() ?? Buffer.allocUnsafeSlow(MOST_BYTES)) : undefined;
    const piece: Piece = {
      size,
      bytes: fetchPiece(connection, uid, part, { start, length: size }, landing),
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
  if (first) start += FIRST_BYTES;
  let next: Piece | undefined = first
    ? { size: FIRST_BYTES, bytes: Promise.resolve(first), early: true }
    : ask(FIRST_BYTES);
  try {
    while (next) {
      const { size, early, landing }: Piece = next;
      const bytes: Buffer = await next.bytes;
      const wanted: number = early ? FIRST_BYTES : MOST_BYTES;
      next = bytes.length < size ? undefined : ask(wanted);
      if (bytes.length > 0) yield bytes;
      if (landing && spare.length < MOST_SPARE) spare.push(landing);
    }
  } finally {
    await next?.bytes.catch(() => {});
  }
}

async function fetchPiece(
  connection: ImapConnection,
  uid: number,
  part: string,
  range: { start: number; length: number },
  landing: Buffer | undefined,
): Promise<Buffer> {
  const rows = await fetchRows(connection, String(uid), [peek(part, range)], 'uid', { landing });
  const row = rows.find((one) => one.uid === uid);
  // An empty piece is "", as past the end (RFC 3501, section 6.4.5); NIL is what is left of a message that was deleted.
  const bytes = bytesOf(row?.items.get(`BODY[${part}]`));
  if (!bytes) throw new BrokerError('NOT_FOUND', `uid: message ${uid} has vanished.`, { field: 'uid' });
  return bytes;
}
