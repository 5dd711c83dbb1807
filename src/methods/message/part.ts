import type { ImapConnection } from '../../imap/connection/connection.js';
import { beginDownload, beginRange, download } from '../../imap/messages/download.js';
import { decoded, partRange } from '../../imap/messages/part-range.js';
import { partOf } from '../../imap/mime/structure.js';
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

export const sendPart: Handler<'message.part'> = (context, params) => {
  const { mailbox, uidValidity, offset, length } = params;
  const job = jobOf(context, { effect: 'read', lane: 'bulk', mailbox });
  const ranged = offset > 0 || length !== undefined;
  return sendBytes(context, job, params, async (connection, sent) => {
    await connection.select(mailbox, { fresh: true, uidValidity });
    return ranged ? range(connection, params, sent) : all(connection, params, sent);
  });
};

/** A whole part; its first piece is fetched together with its structure. */
async function all(connection: ImapConnection, { uid, part, transfer }: Wanted, sent: number) {
  const { row, begun, whole } = await beginDownload(connection, uid, part, 'BODYSTRUCTURE');
  const node = requirePart(row.items.get('BODYSTRUCTURE'), uid, part);
  const { encoding } = node;
  const total = node.encodedSize ?? undefined;
  // Pieces that are collected for an answer are kept; those of a stream are not, so their memory is used again.
  const reuse = transfer === 'stream';
  if (isIdentity(encoding)) {
    const bytes = download(connection, uid, part, { from: sent, total, begun: sent === 0 ? begun : [], reuse });
    return sendable(node, node.decodedSize, bytes);
  }
  const [first] = begun;
  const decodedSize = first && whole ? decodeTransfer(first, encoding).length : null;
  const bytes = decoded(download(connection, uid, part, { total, begun, reuse }), encoding);
  return sendable(node, decodedSize, from(bytes, sent));
}

/** A range of a part, which costs about what it sends. */
async function range(connection: ImapConnection, wanted: Wanted, sent: number) {
  const { uid, part, offset, length = Infinity, transfer } = wanted;
  const { row, head, whole } = await beginRange(connection, uid, part);
  const node = requirePart(row.items.get('BODYSTRUCTURE'), uid, part);
  const asked = { from: offset + sent, to: offset + length };
  const { decodedSize, bytes } = await partRange({ connection, uid, node, head, whole }, asked, transfer === 'stream');
  return sendable(node, decodedSize, bytes);
}

function requirePart(structure: ImapAttribute | undefined, uid: number, part: string): Structure {
  const node = partOf(structure, part);
  if (!node) throw new BrokerError('NOT_FOUND', `part: message ${uid} has no part ${part}.`, { field: 'part' });
  return node;
}

function sendable(node: Structure, decodedSize: number | null, bytes: AsyncIterable<Buffer>) {
  const { type, parameters, fileName, contentId, encodedSize } = node;
  return { meta: { type, parameters, fileName, contentId, encodedSize: encodedSize ?? 0, decodedSize }, bytes };
}
