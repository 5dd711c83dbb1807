import { expunge } from '../../imap/messages/store.js';
import type { Handler } from '../context.js';
import { changing, existingOf } from './on-existing.js';

const handle: Handler<'message.delete'> = async (context, params) => {
  const uids = [...new Set(params.uids)];
  const deleted = await changing(context, params, async (connection) => {
    const found = await existingOf(context, connection, { ...params, uids });
    await expunge(connection, found);
    return found;
  });
  const gone = new Set(deleted);
  return { deleted, notFound: uids.filter((uid) => !gone.has(uid)) };
};

export default handle;
