import type { ImapConnection } from './connection.js';

/** The first piece is small so that the first byte comes soon; each further one saves a round trip by being larger. */
const FIRST_BYTES = 256 * 1024;
const MOST_BYTES = 1024 * 1024;

/**
 * The bytes of a part, or of the whole message for an empty part, as the server has them, in pieces.
 * Between two pieces no command is under way, so a reader may stop and keep the connection.
 */
export async function* download(
  connection: ImapConnection,
  uid: number,
  part: string,
  from = 0,
): AsyncGenerator<Buffer, void, void> {
  let start = from;
  for (let size = FIRST_BYTES; ; size = Math.min(size * 2, MOST_BYTES)) {
    const piece = await fetchPiece(connection, uid, part, start, size);
    if (piece.length > 0) yield piece;
    if (piece.length < size) return;
    start += size;
  }
}

async function fetchPiece(
  connection: ImapConnection,
  uid: number,
  part: string,
  start: number,
  maxLength: number,
): Promise<Buffer> {
  const query = part === '' ? { source: { start, maxLength } } : { bodyParts: [{ key: part, start, maxLength }] };
  const [message] = await connection.command('read', (flow) =>
    flow.fetchAll(String(uid), { uid: true, ...query }, { uid: true }),
  );
  return (part === '' ? message?.source : message?.bodyParts?.get(part.toLowerCase())) ?? Buffer.alloc(0);
}
