import { beginDownload, download } from '../imap/messages/download.js';
import { numberOf } from '../imap/wire/tokens.js';
import type { messageReadMethods } from '../protocol/methods/message-read.js';
import type { Handlers } from './context.js';
import { getMessages } from './message/get.js';
import { sendPart } from './message/part.js';
import { sendBytes } from './message/sending.js';
import { jobOf } from './support/job.js';

/** Handlers of the methods in `src/protocol/methods/message-read.ts`. */
export const messageReadHandlers = {
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
} satisfies Pick<Handlers, keyof typeof messageReadMethods>;
