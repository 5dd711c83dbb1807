import { BrokerError } from '../../protocol/errors.js';
import { protocolLimits } from '../../protocol/limits.js';

/** Bytes without the first `offset` ones. */
export async function* from(bytes: AsyncIterable<Buffer>, offset: number): AsyncGenerator<Buffer, void, void> {
  let skip = offset;
  for await (const piece of bytes) {
    if (skip < piece.length) yield piece.subarray(skip);
    skip = Math.max(0, skip - piece.length);
  }
}

/** At most `length` bytes; stops reading when it has them. */
export async function* take(bytes: AsyncIterable<Buffer>, length: number): AsyncGenerator<Buffer, void, void> {
  let left = length;
  for await (const piece of bytes) {
    const wanted = piece.length > left ? piece.subarray(0, left) : piece;
    left -= wanted.length;
    if (wanted.length > 0) yield wanted;
    if (left <= 0) return;
  }
}

/**
 * Collects the bytes for an answer, in base64.
 * @throws BrokerError TOO_LARGE above the limit of inline answers
 */
export async function collectBase64(bytes: AsyncIterable<Buffer>): Promise<string> {
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
