import { BrokerError } from '../protocol/errors.js';
import type { ImapConnection } from './connection.js';
import { bytesOf, type FetchedRow, fetchRows, peek } from './fetch-rows.js';
import { atom } from './raw-exec.js';

/** Bytes of the first piece, and of all as long as the reader is slower than the server. */
const PIECE_BYTES = 256 * 1024;
/** Larger pieces save round trips but cost memory: two are held. */
const MOST_PIECE_BYTES = 1024 * 1024;

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
  const first = peek(part, { start: 0, length: PIECE_BYTES });
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

/**
 * The bytes of a part, or of the whole message for an empty part, as the server has them, in pieces. While the reader is
 * busy with one piece the next is fetched, no more; pieces grow as long as the reader waits for them. Whoever
 * stops reading waits for the end of the piece under way, so that the connection can be lent again.
 * @param begun the first piece, where that has come already
 * @throws BrokerError NOT_FOUND when the message vanishes meanwhile
 */
export async function* download(
  connection: ImapConnection,
  uid: number,
  part: string,
  from = 0,
  begun: Buffer[] = [],
): AsyncGenerator<Buffer, void, void> {
  let start = from;
  const ask = (size: number): Piece => {
    const piece: Piece = { size, come: start === from, bytes: fetchPiece(connection, uid, part, start, size) };
    start += size;
    const come = () => {
      piece.come = true;
    };
    // Awaited later, if ever.
    piece.bytes.then(come, come);
    return piece;
  };
  const first = begun.shift();
  if (first) start += PIECE_BYTES;
  let next: Piece | undefined = first
    ? { size: PIECE_BYTES, come: true, bytes: Promise.resolve(first) }
    : ask(PIECE_BYTES);
  try {
    while (next) {
      const { size, come }: Piece = next;
      const bytes: Buffer = await next.bytes;
      const wanted: number = come ? PIECE_BYTES : Math.min(size * 2, MOST_PIECE_BYTES);
      next = bytes.length < size ? undefined : ask(wanted);
      if (bytes.length > 0) yield bytes;
    }
  } finally {
    await next?.bytes.catch(() => {});
  }
}

interface Piece {
  size: number;
  /** Whether it came before the reader wanted it; of the first, with which nobody knows yet, this is assumed. */
  come: boolean;
  bytes: Promise<Buffer>;
}

async function fetchPiece(
  connection: ImapConnection,
  uid: number,
  part: string,
  start: number,
  length: number,
): Promise<Buffer> {
  const rows = await fetchRows(connection, String(uid), [peek(part, { start, length })], 'uid');
  const row = rows.find((one) => one.uid === uid);
  // An empty piece is "", as past the end (RFC 3501, section 6.4.5); NIL is what is left of a message that was deleted.
  const bytes = bytesOf(row?.items.get(`BODY[${part}]`));
  if (!bytes) throw new BrokerError('NOT_FOUND', `uid: message ${uid} has vanished.`, { field: 'uid' });
  return bytes;
}
