import type { Lease } from '../../pool/job.js';
import { BrokerError } from '../../protocol/errors.js';
import { protocolLimits } from '../../protocol/limits.js';
import type { OutgoingStream } from '../context.js';

/** Milliseconds within which the next piece must have come from the server and left to the caller. */
const PIECE_MS = 2 * protocolLimits.streamStallMs;

/** Which bytes of the whole the caller wants. */
export interface ByteRange {
  offset: number;
  length?: number | undefined;
}

/** Only the bytes of a range; stops reading when it has them. */
export async function* within(bytes: AsyncIterable<Buffer>, { offset, length = Infinity }: ByteRange) {
  let skip = offset;
  let left = length;
  for await (const piece of bytes) {
    const wanted = piece.subarray(skip, Math.min(piece.length, skip + left));
    skip = Math.max(0, skip - piece.length);
    left -= wanted.length;
    if (wanted.length > 0) yield wanted;
    if (left <= 0) return;
  }
}

/**
 * Collects the bytes for an answer.
 * @throws BrokerError TOO_LARGE above the limit of inline answers
 */
export async function inline(bytes: AsyncIterable<Buffer>): Promise<string> {
  const pieces: Buffer[] = [];
  let total = 0;
  for await (const piece of bytes) {
    total += piece.length;
    if (total > protocolLimits.inlineBytes) {
      const message = `transfer: more than ${protocolLimits.inlineBytes} bytes; ask for a stream or a length.`;
      throw new BrokerError('TOO_LARGE', message, { field: 'transfer' });
    }
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString('base64');
}

/** Sends the bytes on a stream, for as long as they flow. */
export async function pump(bytes: AsyncIterable<Buffer>, stream: OutgoingStream, lease: Lease): Promise<void> {
  for await (const piece of bytes) {
    lease.extend(Date.now() + PIECE_MS);
    await stream.write(piece);
    lease.extend(Date.now() + PIECE_MS);
  }
  stream.end();
}
