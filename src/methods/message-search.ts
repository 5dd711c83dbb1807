import { fetchSummaries } from '../imap/messages/fetch.js';
import { searchSorted } from '../imap/messages/sort.js';
import type { messageSearchMethods } from '../protocol/methods/message-search.js';
import type { Handlers } from './context.js';
import { shareRead } from './support/shared.js';

/** Handlers of the methods in `src/protocol/methods/message-search.ts`. */
export const messageSearchHandlers = {
  'message.search': (context, params) => {
    const { mailbox, uidValidity, criteria, sort, limit, offset, fields } = params;
    return shareRead(context, params, { mailbox }, async (connection) => {
      const selected = await connection.select(mailbox, { fresh: true, uidValidity });
      const { uids, sortedBy } = await searchSorted(connection, criteria, sort);
      const page = uids.slice(offset, offset + limit);
      const rows = fields.length > 0 ? await fetchSummaries(connection, page, fields) : page.map((uid) => ({ uid }));
      const byUid = new Map(rows.map((row) => [row.uid, row]));
      return {
        uidValidity: selected.uidValidity,
        total: uids.length,
        messages: page.flatMap((uid) => byUid.get(uid) ?? []),
        nextOffset: offset + limit < uids.length ? offset + limit : null,
        sortedBy,
      };
    });
  },
} satisfies Pick<Handlers, keyof typeof messageSearchMethods>;
