import type { Address, Envelope } from '../protocol/models.js';
import { toHeaderText } from './convert.js';
import { toIso } from './convert-date.js';
import { type ImapAttribute, listOf, textOf } from './raw-exec.js';

/** What Dovecot puts in place of half an address that is missing. */
const placeholders = new Set(['MISSING_MAILBOX', 'MISSING_DOMAIN']);

/**
 * ENVELOPE (RFC 9051 section 7.5.2) in the contract's shape.
 * @param fallbackCharset of raw 8-bit that is not UTF-8
 */
export function toEnvelope(attribute: ImapAttribute | undefined, fallbackCharset: string | null = null): Envelope {
  const [date, subject, from, sender, replyTo, to, cc, bcc, inReplyTo, messageId] = listOf(attribute);
  const addresses = (list: ImapAttribute | undefined) =>
    listOf(list).flatMap((entry) => toAddress(entry, fallbackCharset));
  return {
    date: toIso(toHeaderText(date)),
    subject: toHeaderText(subject, fallbackCharset).trim(),
    messageId: toHeaderText(messageId).trim() || null,
    inReplyTo: toHeaderText(inReplyTo).trim() || null,
    from: addresses(from),
    sender: addresses(sender),
    replyTo: addresses(replyTo),
    to: addresses(to),
    cc: addresses(cc),
    bcc: addresses(bcc),
  };
}

/** None for the end of a group and for addresses without any content; the name of a group stands as a name alone. */
function toAddress(entry: ImapAttribute, fallbackCharset: string | null): Address[] {
  const [displayName, , mailboxPart, hostPart] = listOf(entry);
  const mailbox = half(mailboxPart, fallbackCharset);
  const host = half(hostPart, fallbackCharset);
  const shown = toHeaderText(displayName, fallbackCharset).trim();
  const address = mailbox && host ? `${mailbox}@${host}` : '';
  const name = shown || (address ? '' : mailbox);
  return name || address ? [{ name, address }] : [];
}

function half(attribute: ImapAttribute | undefined, fallbackCharset: string | null): string {
  return placeholders.has(textOf(attribute)) ? '' : toHeaderText(attribute, fallbackCharset).trim();
}
