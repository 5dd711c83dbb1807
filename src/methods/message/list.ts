import type { ImapConnection } from '../../imap/connection.js';
import { FETCH_BATCH, fetchRange } from '../../imap/fetch.js';
import type { MessageSummary } from '../../protocol/models.js';
import type { Handler } from '../context.js';
import { jobOf } from '../job.js';
import { fromServer } from '../meta.js';
import { decodeCursor, encodeCursor } from './page-cursor.js';

type Fields = Parameters<typeof fetchRange>[3];

/**
 * A page is a range of sequence numbers, so it costs the same in every folder; the cursor is a uid, so mail that arrives
 * or vanishes between two pages neither repeats nor hides a message.
 */
const handle: Handler<'message.list'> = (context, { mailbox, uidValidity, limit, cursor, fields }) => {
  const start = cursor === undefined ? undefined : decodeCursor(cursor);
  return context.account.run(jobOf(context, { effect: 'read', mailbox }), async (connection) => {
    const selected = await connection.select(mailbox, { fresh: true, uidValidity: uidValidity ?? start?.uidValidity });
    if (start) await connection.select(mailbox, { uidValidity: start.uidValidity });
    const top = start ? await countBelow(connection, start.below) : selected.exists;
    const messages = await newestFirst(connection, top, limit, fields);
    const last = messages.at(-1);
    const more = last !== undefined && top > limit;
    return {
      uidValidity: selected.uidValidity,
      total: connection.selected?.exists ?? selected.exists,
      messages,
      nextCursor: more ? encodeCursor({ uidValidity: selected.uidValidity, below: last.uid }) : null,
      meta: fromServer(),
    };
  });
};

/** Messages with a smaller uid: the sequence number of the newest of them. */
async function countBelow(connection: ImapConnection, uid: number): Promise<number> {
  if (uid <= 1) return 0;
  // By sequence number: during such a SEARCH the server may not announce EXPUNGE (RFC 9051 section 7.5.1), so the count
  // still holds for the FETCH behind it.
  const found = await connection.command('read', (flow) =>
    flow.search({ uid: `1:${uid - 1}` }, { returnOptions: ['COUNT'] }),
  );
  return Array.isArray(found) ? found.length : (found.count ?? 0);
}

async function newestFirst(
  connection: ImapConnection,
  top: number,
  limit: number,
  fields: Fields,
): Promise<MessageSummary[]> {
  const rows: MessageSummary[] = [];
  const bottom = Math.max(1, top - limit + 1);
  for (let high = top; high >= bottom; high -= FETCH_BATCH) {
    const low = Math.max(bottom, high - FETCH_BATCH + 1);
    rows.push(...(await fetchRange(connection, `${low}:${high}`, false, fields)));
  }
  return rows.sort((a, b) => b.uid - a.uid);
}

export default handle;
