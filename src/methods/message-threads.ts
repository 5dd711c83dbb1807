import { threads } from '../imap/messages/thread.js';
import type { messageThreadsMethods } from '../protocol/methods/message-threads.js';
import type { Handlers } from './context.js';
import { shareRead } from './support/shared.js';

/** Handlers of the methods in `src/protocol/methods/message-threads.ts`. */
export const messageThreadsHandlers = {
  'message.threads': (context, params) => {
    const { mailbox, uidValidity, criteria, limit, offset } = params;
    return shareRead(context, params, { mailbox }, async (connection) => {
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
  },
} satisfies Pick<Handlers, keyof typeof messageThreadsMethods>;
