import { beginDownload, download } from '../imap/messages/download.js';
import { fetchSummaries } from '../imap/messages/fetch.js';
import { searchSorted } from '../imap/messages/sort.js';
import { threads } from '../imap/messages/thread.js';
import { numberOf } from '../imap/wire/tokens.js';
import type { messageReadMethods } from '../protocol/methods/message-read.js';
import type { Handlers } from './context.js';
import { sendBytes } from './message/sending.js';
import { getMessages } from './message-get.js';
import { listMessages } from './message-list.js';
import { sendPart } from './message-part.js';
import { jobOf } from './support/job.js';
import { shareRead } from './support/shared.js';

/** Handlers of the methods in `src/protocol/methods/message-read.ts`. */
export const messageReadHandlers = {
  'message.list': listMessages,
  'message.get': getMessages,
  'message.part': sendPart,
  'message.source': (context, params) => {
    const { mailbox, uidValidity, uid, offset, length = Infinity } = params;
    const job = jobOf(context, { effect: 'read', lane: 'bulk', mailbox });
    return sendBytes(context, job, params, async (connection, sent) => {
      await connection.select(mailbox, { fresh: true, uidValidity });
      const range = { from: offset + sent, to: offset + length };
      const { row, begun } = await beginDownload(connection, uid, '', 'RFC822.SIZE', range);
      return {
        meta: { size: numberOf(row.items.get('RFC822.SIZE')) ?? 0 },
        bytes: download(connection, uid, '', { ...range, begun, reuse: params.transfer === 'stream' }),
      };
    });
  },
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
} satisfies Pick<Handlers, keyof typeof messageReadMethods>;
