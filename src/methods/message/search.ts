import { fetchSummaries } from '../../imap/messages/fetch.js';
import { searchSorted } from '../../imap/messages/sort.js';
import type { Handler } from '../context.js';
import { shared } from '../support/shared.js';

const handle: Handler<'message.search'> = (context, params) => {
  const { mailbox, uidValidity, criteria, sort, limit, offset, fields } = params;
  return shared(context, params, { mailbox }, async (connection) => {
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
};

export default handle;
