import { copyMessages } from '../../imap/transfer.js';
import type { Params, Result } from '../../protocol/contract.js';
import { askedFor } from '../canonical.js';
import type { Handler, SessionContext } from '../context.js';
import { once } from '../once.js';
import { onExisting } from './on-existing.js';

const handle: Handler<'message.copy'> = (context, params) =>
  once(context, params.idempotencyKey, askedFor(params), () => copy(context, params));

async function copy(context: SessionContext, params: Params<'message.copy'>): Promise<Result<'message.copy'>> {
  const { destination } = params;
  const { value: arrived, notFound } = await onExisting(context, params, (connection, found) =>
    copyMessages(connection, found, destination),
  );
  return { destination, destinationUidValidity: arrived.uidValidity, uids: arrived.uids, notFound };
}

export default handle;
