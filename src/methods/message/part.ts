import type { ImapConnection } from '../../imap/connection.js';
import { download } from '../../imap/download.js';
import { fetchRows } from '../../imap/fetch-rows.js';
import { atom } from '../../imap/raw-exec.js';
import { findPart, toStructure } from '../../imap/structure.js';
import { isIdentity, transferDecoder } from '../../imap/transfer-decoder.js';
import { BrokerError } from '../../protocol/errors.js';
import type { Structure } from '../../protocol/models.js';
import type { Handler } from '../context.js';
import { jobOf } from '../job.js';
import { from } from './send-bytes.js';
import { sendBytes } from './sending.js';

const handle: Handler<'message.part'> = (context, params) => {
  const { mailbox, uidValidity, uid, part } = params;
  return sendBytes(context, jobOf(context, { effect: 'read', lane: 'bulk', mailbox }), params, async (connection) => {
    await connection.select(mailbox, { fresh: true, uidValidity });
    const node = findPart(await structureOf(connection, uid), part);
    if (!node) throw new BrokerError('NOT_FOUND', `part: message ${uid} has no part ${part}.`, { field: 'part' });
    const { type, parameters, fileName, contentId, encoding, size } = node;
    return {
      meta: { type, parameters, fileName, contentId, encodedSize: size ?? 0 },
      bytesFrom: (offset) =>
        isIdentity(encoding)
          ? download(connection, uid, part, offset)
          : from(decoded(download(connection, uid, part), encoding), offset),
    };
  });
};

async function structureOf(connection: ImapConnection, uid: number): Promise<Structure> {
  const rows = await fetchRows(connection, String(uid), [atom('BODYSTRUCTURE')], 'uid');
  const row = rows.find((one) => one.uid === uid);
  if (!row) throw new BrokerError('NOT_FOUND', `uid: there is no message ${uid}.`, { field: 'uid' });
  return toStructure(row.items.get('BODYSTRUCTURE'));
}

async function* decoded(bytes: AsyncIterable<Buffer>, encoding: string | null) {
  const decoder = transferDecoder(encoding);
  for await (const piece of bytes) yield decoder.push(piece);
  yield decoder.end();
}

export default handle;
