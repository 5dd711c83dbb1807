import { threads } from '../../imap/thread.js';
import type { Handler } from '../context.js';
import { shared } from '../shared.js';

const handle: Handler<'message.threads'> = (context, params) => {
  const { mailbox, uidValidity, criteria, limit, offset } = params;
  return shared(context, params, { mailbox }, async (connection) => {
    const selected = await connection.select(mailbox, { fresh: true, uidValidity });
    const { threads: all, threadedBy } = await threads(connection, criteria);
    return {
      uidValidity: selected.uidValidity,
      total: all.length,
      threads: all.slice(offset, offset + limit),
      nextOffset: offset + limit < all.length ? offset + limit : null,
      threadedBy,
    };
  });
};

export default handle;
