import type { ImapConnection } from '../../imap/connection/connection.js';
import type { Job, Lease } from '../../pool/job.js';
import { protocolLimits } from '../../protocol/limits.js';
import type { OutgoingStream, SessionContext } from '../context.js';
import { collectBase64, take } from './send-bytes.js';

/** Milliseconds within which the next piece must have come from the server and left to the caller. */
const PIECE_MS = 2 * protocolLimits.streamStallMs;
/** Milliseconds that a piece under way may still take after the client gave up the stream. */
const ABANDONED_MS = 5_000;

/** What is to be sent: what the answer says of it, and its bytes. */
export interface Sendable<Meta> {
  meta: Meta;
  bytes: AsyncIterable<Buffer>;
}

interface Wanted {
  transfer: 'stream' | 'inline';
  length?: number | undefined;
}

type Sent<Meta> = Meta & { stream: number | null; data: string | null };
/** @param sent how many of the wanted bytes a lost connection has sent: the bytes after them are wanted */
type Prepare<Meta> = (connection: ImapConnection, sent: number) => Promise<Sendable<Meta>>;

/**
 * Answers bytes inline, or as a stream: then the answer is given as soon as it is known what will be sent, and the
 * connection stays leased until the last byte has left or the caller gave up.
 */
export function sendBytes<Meta>(
  context: SessionContext,
  job: Job,
  wanted: Wanted,
  prepare: Prepare<Meta>,
): Promise<Sent<Meta>> {
  if (wanted.transfer === 'stream') return streamed(context, job, wanted, prepare);
  return context.account.run(job, async (connection) => {
    const { meta, bytes } = await prepare(connection, 0);
    return { ...meta, stream: null, data: await collectBase64(take(bytes, wanted.length ?? Infinity)) };
  });
}

function streamed<Meta>(
  context: SessionContext,
  job: Job,
  wanted: Wanted,
  prepare: Prepare<Meta>,
): Promise<Sent<Meta>> {
  return new Promise((resolve, reject) => {
    let stream: OutgoingStream | undefined;
    let sent = 0;
    const running = context.account.run(job, async (connection, lease) => {
      // A read that lost its connection runs again, and goes on where the stream stands.
      const { meta, bytes } = await prepare(connection, sent);
      stream ??= context.streams.open();
      resolve({ ...meta, stream: stream.id, data: null });
      const left = (wanted.length ?? Infinity) - sent;
      if (left > 0) {
        await pump(take(bytes, left), stream, lease, (count) => {
          sent += count;
        });
      }
      stream.end();
    });
    running.catch((error: unknown) => {
      stream?.abort(error);
      reject(error);
    });
  });
}

async function pump(
  bytes: AsyncIterable<Buffer>,
  stream: OutgoingStream,
  lease: Lease,
  onSent: (count: number) => void,
): Promise<void> {
  const { signal } = stream;
  const abandon = () => lease.extend(Date.now() + ABANDONED_MS);
  signal.addEventListener('abort', abandon);
  try {
    lease.extend(Date.now() + PIECE_MS);
    for await (const piece of bytes) {
      lease.extend(Date.now() + PIECE_MS);
      await stream.write(piece);
      onSent(piece.length);
      lease.extend(Date.now() + PIECE_MS);
    }
    signal.throwIfAborted();
  } finally {
    signal.removeEventListener('abort', abandon);
  }
}
