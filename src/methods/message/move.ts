import { canonicalName } from '../../imap/mailbox-names.js';
import { moveMessages } from '../../imap/transfer.js';
import { BrokerError } from '../../protocol/errors.js';
import type { Handler } from '../context.js';
import { onExisting } from './on-existing.js';

const handle: Handler<'message.move'> = async (context, params) => {
  const { destination, mailbox } = params;
  if (canonicalName(destination) === canonicalName(mailbox)) {
    throw new BrokerError('INVALID_PARAMS', 'destination: the messages are in this folder already.', {
      field: 'destination',
    });
  }
  const { value: arrived, notFound } = await onExisting(context, params, (connection, found) =>
    moveMessages(connection, found, destination),
  );
  return { destination, destinationUidValidity: arrived.uidValidity, uids: arrived.uids, notFound };
};

export default handle;
