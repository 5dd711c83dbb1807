import { toEnvelope, toFlags, toIso } from '../../imap/convert.js';
import { type OpenedMessage, openMessages } from '../../imap/open-message.js';
import { parseHeaders } from '../../imap/raw-headers.js';
import { readable } from '../../imap/structure.js';
import type { Handler } from '../context.js';
import { jobOf } from '../job.js';
import { fromServer } from '../meta.js';

const handle: Handler<'message.get'> = (context, { mailbox, uidValidity, uids, headers, maxTextBytes }) =>
  context.account.run(jobOf(context, { effect: 'read', mailbox }), async (connection) => {
    await connection.select(mailbox, { fresh: true, uidValidity });
    const opened = await openMessages(connection, uids, { headers, maxTextBytes });
    const found = new Map(opened.map((one) => [one.message.uid, one]));
    const asked = [...new Set(uids)];
    return {
      messages: asked.flatMap((uid) => {
        const one = found.get(uid);
        return one ? [toResult(one, headers)] : [];
      }),
      notFound: asked.filter((uid) => !found.has(uid)),
      meta: fromServer(),
    };
  });

function toResult({ message, structure, text, html }: OpenedMessage, headers: boolean) {
  return {
    uid: message.uid,
    envelope: toEnvelope(message.envelope),
    flags: toFlags(message.flags),
    size: message.size ?? 0,
    internalDate: toIso(message.internalDate) ?? new Date(0).toISOString(),
    headers: headers ? parseHeaders(message.headers ?? Buffer.alloc(0)) : null,
    structure,
    text,
    html,
    attachments: readable(structure).attachments,
  };
}

export default handle;
