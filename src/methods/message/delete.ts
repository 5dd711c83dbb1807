import { expunge } from '../../imap/store.js';
import type { Handler } from '../context.js';
import { onExisting } from './on-existing.js';

const handle: Handler<'message.delete'> = async (context, params) => {
  const { value: deleted, notFound } = await onExisting(context, params, async (connection, found) => {
    await expunge(connection, found);
    return found;
  });
  return { deleted, notFound };
};

export default handle;
