import type { ImapConnection } from '../../imap/connection.js';
import { download } from '../../imap/download.js';
import { findPart, toStructure } from '../../imap/structure.js';
import { transferDecoder } from '../../imap/transfer-decoder.js';
import { BrokerError } from '../../protocol/errors.js';
import type { Structure } from '../../protocol/models.js';
import type { Handler } from '../context.js';
import { jobOf } from '../job.js';
import { transferBytes } from './transfer.js';

const handle: Handler<'message.part'> = (context, params) => {
  const { mailbox, uidValidity, uid, part } = params;
  return transferBytes(context, jobOf(context, { effect: 'read', mailbox }), params, async (connection) => {
    await connection.select(mailbox, { uidValidity });
    const node = findPart(await structureOf(connection, uid), part);
    if (!node) throw new BrokerError('NOT_FOUND', `part: message ${uid} has no part ${part}.`, { field: 'part' });
    const { type, parameters, fileName, contentId, size } = node;
    return {
      meta: { type, parameters, fileName, contentId, encodedSize: size ?? 0 },
      bytes: decoded(download(connection, uid, part), node.encoding),
    };
  });
};

async function structureOf(connection: ImapConnection, uid: number): Promise<Structure> {
  const query = { uid: true, bodyStructure: true };
  const [message] = await connection.command('read', (flow) => flow.fetchAll(String(uid), query, { uid: true }));
  if (!message?.bodyStructure) throw new BrokerError('NOT_FOUND', `uid: there is no message ${uid}.`, { field: 'uid' });
  return toStructure(message.bodyStructure);
}

async function* decoded(bytes: AsyncIterable<Buffer>, encoding: string | null) {
  const decoder = transferDecoder(encoding);
  for await (const piece of bytes) yield decoder.push(piece);
  yield decoder.end();
}

export default handle;
