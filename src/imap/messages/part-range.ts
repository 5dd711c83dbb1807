import type { Structure } from '../../protocol/models.js';
import type { ImapConnection } from '../connection/connection.js';
import { type Base64Layout, encodedRange, follows, layoutOf } from '../mime/transfer/base64-layout.js';
import { decodeTransfer, isIdentity, transferDecoder } from '../mime/transfer/transfer-decoder.js';
import { type BinaryRange, beginBinary, download, type PartHead } from './download.js';

/** A range of decoded bytes. */
export interface ByteRange {
  from: number;
  to: number;
}

/** A part of a message, and its beginning, still encoded. */
export interface RangedPart extends Pick<PartHead, 'head' | 'whole'> {
  connection: ImapConnection;
  uid: number;
  node: Structure;
}

/** The bytes of a part that are sent. */
export interface PartBytes {
  /** Decoded size of the whole part; null where it is not known. */
  decodedSize: number | null;
  bytes: AsyncIterable<Buffer>;
}

/**
 * A range of the decoded bytes of a part, at a cost close to the bytes sent: the server decodes where it has BINARY
 * (RFC 3516); else base64 with regular lines is fetched from the position of the range. Any other part is decoded from
 * its beginning.
 */
export async function partRange(part: RangedPart, range: ByteRange, reuse: boolean): Promise<PartBytes> {
  const { connection, uid, node, head, whole } = part;
  const { encoding, encodedSize, part: number } = node;
  if (whole) {
    const bytes = decodeTransfer(head, encoding);
    return { decodedSize: bytes.length, bytes: pieces(bytes.subarray(range.from, range.to)) };
  }
  if (isIdentity(encoding)) {
    return { decodedSize: node.decodedSize, bytes: download(connection, uid, number, { ...range, reuse }) };
  }
  const uuencoded = encoding !== 'base64' && encoding !== 'quoted-printable';
  const binary = uuencoded ? undefined : await beginBinary(connection, uid, number, range);
  if (binary) return { decodedSize: binary.size, bytes: ofServer(part, range, binary, reuse) };
  const layout = encoding === 'base64' ? layoutOf(head) : undefined;
  const regular = layout && follows(layout, head, 0, encodedSize ?? 0);
  return { decodedSize: null, bytes: regular ? ofLines(part, range, layout) : fromBeginning(part, range) };
}

/** All decoded bytes of a part from its beginning on. */
export async function* decoded(bytes: AsyncIterable<Buffer>, encoding: string | null): AsyncGenerator<Buffer> {
  const decoder = transferDecoder(encoding, true);
  for await (const piece of bytes) yield decoder.push(piece);
  yield decoder.end();
}

async function* pieces(whole: Buffer): AsyncGenerator<Buffer> {
  if (whole.length > 0) yield whole;
}

function ofServer(
  { connection, uid, node }: RangedPart,
  range: ByteRange,
  { size, begun }: BinaryRange,
  reuse: boolean,
) {
  const to = Math.min(range.to, Math.max(range.from, size));
  return download(connection, uid, node.part, { from: range.from, to, begun, reuse, decoded: true });
}

/** Decodes from the position of the range; where lines turn out to be irregular, decodes from the beginning instead. */
async function* ofLines(part: RangedPart, range: ByteRange, layout: Base64Layout): AsyncGenerator<Buffer> {
  const { connection, uid, node } = part;
  const { from, to, skip } = encodedRange(layout, range.from, range.to);
  const decoder = transferDecoder('base64');
  let [at, ahead, given] = [from, skip, 0];
  for await (const piece of download(connection, uid, node.part, { from, to })) {
    if (!follows(layout, piece, at, node.encodedSize ?? 0)) {
      yield* fromBeginning(part, { from: range.from + given, to: range.to });
      return;
    }
    at += piece.length;
    const bytes = decoder.push(piece);
    const wanted = bytes.subarray(Math.min(ahead, bytes.length));
    ahead -= bytes.length - wanted.length;
    given += wanted.length;
    if (wanted.length > 0) yield wanted;
  }
}

async function* fromBeginning({ connection, uid, node }: RangedPart, { from }: ByteRange): AsyncGenerator<Buffer> {
  let skip = from;
  for await (const piece of decoded(download(connection, uid, node.part), node.encoding)) {
    if (skip < piece.length) yield piece.subarray(skip);
    skip = Math.max(0, skip - piece.length);
  }
}
