import { download } from '../../imap/download.js';
import { BrokerError } from '../../protocol/errors.js';
import type { Handler } from '../context.js';
import { jobOf } from '../job.js';
import { transferBytes } from './transfer.js';

const handle: Handler<'message.source'> = (context, params) => {
  const { mailbox, uidValidity, uid, offset, length, transfer } = params;
  // The server skips to the offset itself.
  const range = { offset: 0, length, transfer };
  return transferBytes(context, jobOf(context, { effect: 'read', mailbox }), range, async (connection) => {
    await connection.select(mailbox, { uidValidity });
    const [message] = await connection.command('read', (flow) =>
      flow.fetchAll(String(uid), { uid: true, size: true }, { uid: true }),
    );
    if (message?.size === undefined) {
      throw new BrokerError('NOT_FOUND', `uid: there is no message ${uid}.`, { field: 'uid' });
    }
    return { meta: { size: message.size }, bytes: download(connection, uid, '', offset) };
  });
};

export default handle;
