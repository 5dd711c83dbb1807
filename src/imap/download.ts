import { BrokerError } from '../protocol/errors.js';
import type { ImapConnection } from './connection.js';
import { bytesOf, fetchRows, peek } from './fetch-rows.js';

/** Larger pieces save few round trips but cost memory: two are held, and each is copied on its way. */
const PIECE_BYTES = 256 * 1024;

/**
 * The bytes of a part, or of the whole message for an empty part, as the server has them, in pieces. While the reader is
 * busy with one piece the next is fetched, no more. Whoever stops reading waits for the end of the piece under
 * way, so that the connection can be lent again.
 * @throws BrokerError NOT_FOUND when the message vanishes meanwhile
 */
export async function* download(
  connection: ImapConnection,
  uid: number,
  part: string,
  from = 0,
): AsyncGenerator<Buffer, void, void> {
  let start = from;
  let next: Promise<Buffer> | undefined = fetchPiece(connection, uid, part, start, PIECE_BYTES);
  try {
    while (next) {
      const piece: Buffer = await next;
      const last = piece.length < PIECE_BYTES;
      start += PIECE_BYTES;
      next = last ? undefined : fetchPiece(connection, uid, part, start, PIECE_BYTES);
      // Awaited later, if ever.
      next?.catch(() => {});
      if (piece.length > 0) yield piece;
    }
  } finally {
    await next?.catch(() => {});
  }
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
