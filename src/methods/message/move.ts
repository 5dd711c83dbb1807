import { canonicalName } from '../../imap/mailbox-names.js';
import { moveMessages } from '../../imap/transfer.js';
import type { Params, Result } from '../../protocol/contract.js';
import { BrokerError } from '../../protocol/errors.js';
import { askedFor } from '../canonical.js';
import type { Handler, SessionContext } from '../context.js';
import { once } from '../once.js';
import { onExisting } from './on-existing.js';

const handle: Handler<'message.move'> = async (context, params) => {
  const { destination, mailbox } = params;
  if (canonicalName(destination) === canonicalName(mailbox)) {
    throw new BrokerError('INVALID_PARAMS', 'destination: the messages are in this folder already.', {
      field: 'destination',
    });
  }
  return once(context, params.idempotencyKey, askedFor(params), () => move(context, params));
};

async function move(context: SessionContext, params: Params<'message.move'>): Promise<Result<'message.move'>> {
  const { destination } = params;
  const { value: arrived, notFound } = await onExisting(context, params, (connection, found) =>
    moveMessages(connection, found, destination),
  );
  return { destination, destinationUidValidity: arrived.uidValidity, uids: arrived.uids, notFound };
}

export default handle;
