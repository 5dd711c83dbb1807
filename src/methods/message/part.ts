import type { ImapConnection } from '../../imap/connection/connection.js';
import { type BegunDownload, beginDownload, beginRange, download } from '../../imap/messages/download.js';
import { requireAttached } from '../../imap/messages/open-message.js';
import { decoded, partRange } from '../../imap/messages/part-range.js';
import { knowsCharset } from '../../imap/mime/charset.js';
import { decodeWhole } from '../../imap/mime/open-text.js';
import { bodyOf, partOf } from '../../imap/mime/structure.js';
import { asUtf8 } from '../../imap/mime/transfer/text-stream.js';
import { decodeTransfer, isIdentity } from '../../imap/mime/transfer/transfer-decoder.js';
import type { ImapAttribute } from '../../imap/wire/tokens.js';
import type { Params } from '../../protocol/contract.js';
import { BrokerError } from '../../protocol/errors.js';
import type { Structure } from '../../protocol/models.js';
import type { Handler } from '../context.js';
import { jobOf } from '../support/job.js';
import { from } from './send-bytes.js';
import { sendBytes } from './sending.js';

type Wanted = Params<'message.part'>;

export const sendPart: Handler<'message.part'> = async (context, params) => {
  refuseContradictions(params);
  const { mailbox, uidValidity, part, offset, length, as, encoded } = params;
  const job = jobOf(context, { effect: 'read', lane: 'bulk', mailbox });
  const ranged = offset > 0 || length !== undefined;
  const isNumber = sectionOf(part).name === null;
  const send = as === 'text' ? text : encoded || !isNumber ? raw : ranged ? range : all;
  return sendBytes(context, job, params, async (connection, sent) => {
    await connection.select(mailbox, { fresh: true, uidValidity });
    return send(connection, params, sent);
  });
};

/** @throws BrokerError INVALID_PARAMS for params that exclude each other */
function refuseContradictions({ part, as, encoded, charset, offset, length }: Wanted): void {
  const ranged = offset > 0 ? 'offset' : 'length';
  if (as === undefined && charset !== undefined) throw contradiction('charset', 'as', 'it is of use with as alone');
  if (as === undefined) return;
  if (encoded) throw contradiction('encoded', 'as', 'a text is decoded');
  if (offset > 0 || length !== undefined) throw contradiction(ranged, 'as', 'a text is sent whole');
  if (sectionOf(part).name !== null) throw contradiction('part', 'as', 'what is no number of a part is sent as it is');
  if (charset !== undefined && !knowsCharset(charset)) {
    throw new BrokerError('INVALID_PARAMS', 'charset: the broker does not know this charset.', { field: 'charset' });
  }
}

function contradiction(field: string, other: string, why: string): BrokerError {
  return new BrokerError('INVALID_PARAMS', `${field}, ${other}: ${why}.`, { field });
}

/** A part without what stands behind its number; an empty number stands for the message itself. */
function sectionOf(part: string): { number: string; name: string | null } {
  const [, number = '', name = null] = /^([\d.]*?)\.?(MIME|HEADER|TEXT)?$/.exec(part) ?? [];
  return { number, name };
}

/** A whole part; its first piece is fetched together with its structure. */
async function all(connection: ImapConnection, { uid, part, transfer }: Wanted, sent: number) {
  const came = await beginDownload(connection, uid, part, 'BODYSTRUCTURE');
  const node = requirePart(came.row.items.get('BODYSTRUCTURE'), uid, part);
  const { begun, whole } = orEmpty(came, node);
  const { encoding } = node;
  const total = node.encodedSize ?? undefined;
  const [first] = begun;
  // Pieces that are collected for an answer are kept; those of a stream are not, so their memory is used again.
  const reuse = transfer === 'stream';
  if (isIdentity(encoding)) {
    const sized = first && whole ? withSize(node, first.length) : node;
    const bytes = download(connection, uid, part, { from: sent, total, begun: sent === 0 ? begun : [], reuse });
    return sendable(sized, sized.decodedSize, bytes);
  }
  const decodedSize = first && whole ? decodeTransfer(first, encoding).length : null;
  const bytes = decoded(download(connection, uid, part, { total, begun, reuse }), encoding);
  return sendable(node, decodedSize, from(bytes, sent));
}

/** A range of a part, which costs about what it sends. */
async function range(connection: ImapConnection, wanted: Wanted, sent: number) {
  const { uid, part, offset, length = Infinity, transfer } = wanted;
  const { row, head, whole: isWhole } = await beginRange(connection, uid, part);
  const node = requirePart(row.items.get('BODYSTRUCTURE'), uid, part);
  const whole = isWhole || node.encodedSize === 0;
  const sized = whole ? withSize(node, head.length) : node;
  const asked = { from: offset + sent, to: offset + length };
  const ranged = { connection, uid, node: sized, head, whole };
  const { decodedSize, bytes } = await partRange(ranged, asked, transfer === 'stream');
  return sendable(sized, decodedSize, bytes);
}

/** What is sent as it is in the message, or a range of it. */
async function raw(connection: ImapConnection, wanted: Wanted, sent: number) {
  const { uid, part, offset, length = Infinity, transfer } = wanted;
  const asked = { from: offset + sent, to: offset + length };
  const answer = await beginDownload(connection, uid, part, 'BODYSTRUCTURE', asked);
  const node = describedBy(answer.row.items.get('BODYSTRUCTURE'), uid, part);
  const { begun, whole } = orEmpty(answer, node);
  const came = begun[0]?.length ?? 0;
  // The end of the part is where the server sends less than was asked for.
  const sized = whole && (asked.from === 0 || came > 0) ? withSize(node, asked.from + came) : node;
  const total = asked.from <= (node.encodedSize ?? 0) ? (node.encodedSize ?? undefined) : undefined;
  const bytes = download(connection, uid, part, { ...asked, total, begun, reuse: transfer === 'stream' });
  return sendable(sized, sized.encodedSize, bytes);
}

/** A whole part as UTF-8. */
async function text(connection: ImapConnection, { uid, part, transfer, charset }: Wanted, sent: number) {
  const came = await beginDownload(connection, uid, part, 'BODYSTRUCTURE');
  const node = requirePart(came.row.items.get('BODYSTRUCTURE'), uid, part);
  const { begun, whole } = orEmpty(came, node);
  if (node.type.startsWith('multipart/')) throw contradiction('part', 'as', `part ${part} is a multipart, not a text`);
  const { encoding } = node;
  const label = charset ?? node.parameters.charset ?? null;
  const total = node.encodedSize ?? undefined;
  if (whole) {
    const pieces: Buffer[] = [];
    for await (const piece of download(connection, uid, part, { total, begun })) pieces.push(piece);
    const bytes = Buffer.from(decodeWhole(Buffer.concat(pieces), encoding, label));
    return sendable(node, bytes.length, from(once(bytes), sent));
  }
  const encoded = download(connection, uid, part, { total, begun, reuse: transfer === 'stream' });
  return sendable(node, null, from(asUtf8(decoded(encoded, encoding), label), sent));
}

async function* once(bytes: Buffer): AsyncGenerator<Buffer, void, void> {
  if (bytes.length > 0) yield bytes;
}

/** A part without bytes, for which some servers answer NIL in place of an empty string, is there all the same. */
function orEmpty({ begun, whole }: BegunDownload, { encodedSize }: Structure): Pick<BegunDownload, 'begun' | 'whole'> {
  return begun.length === 0 && encodedSize === 0 ? { begun: [Buffer.alloc(0)], whole: true } : { begun, whole };
}

/** A part of which the server states no size, such as a multipart, with the size that it turned out to have. */
function withSize(node: Structure, size: number): Structure {
  return node.encodedSize === null ? { ...node, encodedSize: size, decodedSize: size } : node;
}

function requirePart(structure: ImapAttribute | undefined, uid: number, part: string): Structure {
  const node = partOf(structure, part);
  if (!node) throw new BrokerError('NOT_FOUND', `part: message ${uid} has no part ${part}.`, { field: 'part' });
  return node;
}

/**
 * The part that is meant, or what describes a header or a text.
 * @throws BrokerError NOT_FOUND where there is no such part, INVALID_PARAMS where it is no message and has no header
 */
function describedBy(structure: ImapAttribute | undefined, uid: number, part: string): Structure {
  const { number, name } = sectionOf(part);
  if (name === null) return requirePart(structure, uid, number);
  if (name === 'MIME') requirePart(structure, uid, number);
  const body = name === 'MIME' || number === '' ? bodyOf(structure) : requireAttached(structure, uid, number).body;
  if (name === 'TEXT') return body;
  const none = { parameters: {}, fileName: null, contentId: null, encodedSize: null, decodedSize: null };
  return { ...body, type: 'text/rfc822-headers', ...none };
}

function sendable(node: Structure, decodedSize: number | null, bytes: AsyncIterable<Buffer>) {
  const { type, parameters, fileName, contentId, encodedSize } = node;
  return { meta: { type, parameters, fileName, contentId, encodedSize, decodedSize }, bytes };
}
