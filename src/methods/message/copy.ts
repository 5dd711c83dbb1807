import { copyMessages } from '../../imap/transfer.js';
import type { Handler } from '../context.js';
import { onExisting } from './on-existing.js';

const handle: Handler<'message.copy'> = async (context, params) => {
  const { destination } = params;
  const { value: arrived, notFound } = await onExisting(context, params, (connection, found) =>
    copyMessages(connection, found, destination),
  );
  return { destination, destinationUidValidity: arrived.uidValidity, uids: arrived.uids, notFound };
};

export default handle;
