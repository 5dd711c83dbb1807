import { fetchPage } from '../../imap/index-page.js';
import type { Handler } from '../context.js';
import { fromServer } from '../meta.js';
import { shared } from '../shared.js';
import { decodeCursor, encodeCursor } from './page-cursor.js';

/** The cursor names a uid, so mail that arrives or vanishes between two pages neither repeats nor hides a message. */
const handle: Handler<'message.list'> = async (context, params) => {
  const { mailbox, uidValidity, limit, cursor, fields } = params;
  const start = cursor === undefined ? undefined : decodeCursor(mailbox, cursor);
  return shared(context, params, { mailbox }, async (connection) => {
    const selected = await connection.select(mailbox, { fresh: true, uidValidity: uidValidity ?? start?.uidValidity });
    // With both given both must hold.
    if (start) await connection.select(mailbox, { uidValidity: start.uidValidity });
    const { messages, next } = await fetchPage(connection, start, limit, fields);
    return {
      uidValidity: selected.uidValidity,
      total: connection.selected?.exists ?? selected.exists,
      messages,
      nextCursor: next ? encodeCursor({ mailbox, uidValidity: selected.uidValidity, ...next }) : null,
      meta: fromServer(),
    };
  });
};

export default handle;
