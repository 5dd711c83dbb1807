import { beginDownload, download } from '../../imap/download.js';
import { partOf } from '../../imap/mime/structure.js';
import { isIdentity, transferDecoder } from '../../imap/mime/transfer-decoder.js';
import { BrokerError } from '../../protocol/errors.js';
import type { Handler } from '../context.js';
import { jobOf } from '../job.js';
import { from } from './send-bytes.js';
import { sendBytes } from './sending.js';

const handle: Handler<'message.part'> = (context, params) => {
  const { mailbox, uidValidity, uid, part } = params;
  return sendBytes(context, jobOf(context, { effect: 'read', lane: 'bulk', mailbox }), params, async (connection) => {
    await connection.select(mailbox, { fresh: true, uidValidity });
    const { row, begun } = await beginDownload(connection, uid, part, 'BODYSTRUCTURE');
    const node = partOf(row.items.get('BODYSTRUCTURE'), part);
    if (!node) throw new BrokerError('NOT_FOUND', `part: message ${uid} has no part ${part}.`, { field: 'part' });
    const { type, parameters, fileName, contentId, encoding, encodedSize, decodedSize } = node;
    return {
      meta: { type, parameters, fileName, contentId, encodedSize: encodedSize ?? 0, decodedSize },
      bytesFrom: (offset) => {
        // What is collected for an answer is kept; what goes out as a stream is not.
        const reuse = params.transfer === 'stream';
        if (!isIdentity(encoding)) {
          return from(decoded(download(connection, uid, part, { begun, reuse }), encoding), offset);
        }
        return download(connection, uid, part, { from: offset, begun: offset === 0 ? begun : [], reuse });
      },
    };
  });
};

async function* decoded(bytes: AsyncIterable<Buffer>, encoding: string | null) {
  const decoder = transferDecoder(encoding, true);
  for await (const piece of bytes) yield decoder.push(piece);
  yield decoder.end();
}

export default handle;
