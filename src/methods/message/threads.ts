import { threads } from '../../imap/messages/thread.js';
import type { Handler } from '../context.js';
import { shared } from '../support/shared.js';

const handle: Handler<'message.threads'> = (context, params) => {
  const { mailbox, uidValidity, criteria, limit, offset } = params;
  return shared(context, params, { mailbox }, async (connection) => {
    const selected = await connection.select(mailbox, { fresh: true, uidValidity });
    const { threads: page, total, threadedBy } = await threads(connection, criteria, { offset, limit });
    return {
      uidValidity: selected.uidValidity,
      total,
      threads: page,
      nextOffset: offset + limit < total ? offset + limit : null,
      threadedBy,
    };
  });
};

export default handle;
