import { beginDownload, download } from '../../imap/messages/download.js';
import { numberOf } from '../../imap/wire/tokens.js';
import type { Handler } from '../context.js';
import { jobOf } from '../support/job.js';
import { sendBytes } from './sending.js';

const handle: Handler<'message.source'> = (context, params) => {
  const { mailbox, uidValidity, uid, offset, length = Infinity } = params;
  const job = jobOf(context, { effect: 'read', lane: 'bulk', mailbox });
  return sendBytes(context, job, params, async (connection, sent) => {
    await connection.select(mailbox, { fresh: true, uidValidity });
    const range = { from: offset + sent, to: offset + length };
    const { row, begun } = await beginDownload(connection, uid, '', 'RFC822.SIZE', range);
    return {
      meta: { size: numberOf(row.items.get('RFC822.SIZE')) ?? 0 },
      bytes: download(connection, uid, '', { ...range, begun, reuse: params.transfer === 'stream' }),
    };
  });
};

export default handle;
