import { toFlags } from '../../imap/convert.js';
import { toEnvelope } from '../../imap/envelope.js';
import { bodyCharset, toInternalDate } from '../../imap/fetch.js';
import { type OpenedMessage, openMessages } from '../../imap/open-message.js';
import type { Content } from '../../imap/open-text.js';
import { numberOf, textOf } from '../../imap/raw-exec.js';
import { parseHeaders } from '../../imap/raw-headers.js';
import type { Attachment } from '../../protocol/models.js';
import type { Handler } from '../context.js';
import { fromServer } from '../meta.js';
import { shared } from '../shared.js';

const handle: Handler<'message.get'> = (context, params) => {
  const { mailbox, uidValidity, uids, headers, maxTextBytes } = params;
  return shared(context, params, { mailbox }, async (connection) => {
    await connection.select(mailbox, { fresh: true, uidValidity });
    const asked = [...new Set(uids)];
    const opened = await openMessages(connection, asked, { headers, maxTextBytes });
    const found = new Map(opened.map((message) => [message.row.uid, toResult(message)]));
    return {
      messages: asked.flatMap((uid) => found.get(uid) ?? []),
      notFound: asked.filter((uid) => !found.has(uid)),
      meta: fromServer(),
    };
  });
};

function toResult(message: OpenedMessage) {
  const { row, structure, header, text, html } = message;
  const { items } = row;
  const [charset = null] = bodyCharset(row);
  return {
    uid: row.uid,
    envelope: toEnvelope(items.get('ENVELOPE'), charset),
    flags: toFlags(items.get('FLAGS')),
    size: numberOf(items.get('RFC822.SIZE')) ?? 0,
    internalDate: toInternalDate(textOf(items.get('INTERNALDATE'))),
    headers: header && parseHeaders(header),
    structure,
    text: toText(text),
    html: toText(html),
    attachments: attachmentsOf(message),
  };
}

function toText(content: Content | null) {
  if (!content) return null;
  const { bytes: _, ...shown } = content;
  return shown;
}

/** A picture that the html shows is inline, whatever its disposition says. */
function attachmentsOf({ readable, html }: OpenedMessage): Attachment[] {
  return readable.attachments.map(({ related: _, ...attachment }) => {
    const { contentId } = attachment;
    const shown = contentId !== null && refersTo(html?.content ?? '', contentId);
    return { ...attachment, inline: attachment.inline || shown };
  });
}

function refersTo(html: string, contentId: string): boolean {
  return html.includes(`cid:${contentId}`) || html.includes(`cid:${encodeURIComponent(contentId)}`);
}

export default handle;
