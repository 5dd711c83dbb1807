import { threads } from '../../imap/thread.js';
import type { Handler } from '../context.js';
import { jobOf } from '../job.js';
import { fromServer } from '../meta.js';

const handle: Handler<'message.threads'> = (context, { mailbox, uidValidity, criteria, limit, offset }) =>
  context.account.run(jobOf(context, { effect: 'read', mailbox }), async (connection) => {
    const selected = await connection.select(mailbox, { fresh: true, uidValidity });
    const { threads: all, threadedBy } = await threads(connection, criteria);
    return {
      uidValidity: selected.uidValidity,
      total: all.length,
      threads: all.slice(offset, offset + limit),
      nextOffset: offset + limit < all.length ? offset + limit : null,
      threadedBy,
      meta: fromServer(),
    };
  });

export default handle;
