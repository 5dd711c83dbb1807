import { download } from '../../imap/download.js';
import { fetchRows } from '../../imap/fetch-rows.js';
import { atom, numberOf } from '../../imap/raw-exec.js';
import { BrokerError } from '../../protocol/errors.js';
import type { Handler } from '../context.js';
import { jobOf } from '../job.js';
import { sendBytes } from './sending.js';

const handle: Handler<'message.source'> = (context, params) => {
  const { mailbox, uidValidity, uid } = params;
  return sendBytes(context, jobOf(context, { effect: 'read', lane: 'bulk', mailbox }), params, async (connection) => {
    await connection.select(mailbox, { fresh: true, uidValidity });
    const rows = await fetchRows(connection, String(uid), [atom('RFC822.SIZE')], 'uid');
    const row = rows.find((one) => one.uid === uid);
    if (!row) throw new BrokerError('NOT_FOUND', `uid: there is no message ${uid}.`, { field: 'uid' });
    return {
      meta: { size: numberOf(row.items.get('RFC822.SIZE')) ?? 0 },
      bytesFrom: (offset) => download(connection, uid, '', offset),
    };
  });
};

export default handle;
