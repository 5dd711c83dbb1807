import { beginDownload, download } from '../../imap/download.js';
import { numberOf } from '../../imap/wire/tokens.js';
import type { Handler } from '../context.js';
import { jobOf } from '../job.js';
import { sendBytes } from './sending.js';

const handle: Handler<'message.source'> = (context, params) => {
  const { mailbox, uidValidity, uid } = params;
  return sendBytes(context, jobOf(context, { effect: 'read', lane: 'bulk', mailbox }), params, async (connection) => {
    await connection.select(mailbox, { fresh: true, uidValidity });
    const { row, begun } = await beginDownload(connection, uid, '', 'RFC822.SIZE');
    return {
      meta: { size: numberOf(row.items.get('RFC822.SIZE')) ?? 0 },
      bytesFrom: (offset) => {
        const reuse = params.transfer === 'stream';
        return download(connection, uid, '', { from: offset, begun: offset === 0 ? begun : [], reuse });
      },
    };
  });
};

export default handle;
