import type { Address, Envelope } from '../../protocol/models.js';
import { type ImapAttribute, listOf, textOf } from '../raw-exec.js';
import { toIso } from './convert-date.js';
import { toHeaderText } from './header-text.js';

/** What Dovecot puts in place of half an address that is missing. */
const placeholders = new Set(['MISSING_MAILBOX', 'MISSING_DOMAIN']);

/**
 * ENVELOPE (RFC 9051 section 7.5.2) in the contract's shape.
 * @param fallbackCharset of raw 8-bit that is not UTF-8
 */
export function toEnvelope(attribute: ImapAttribute | undefined, fallbackCharset: string | null = null): Envelope {
  const [date, subject, from, sender, replyTo, to, cc, bcc, inReplyTo, messageId] = listOf(attribute);
  return {
    date: toIso(toHeaderText(date)),
    subject: toHeaderText(subject, fallbackCharset).trim(),
    messageId: toHeaderText(messageId).trim() || null,
    inReplyTo: toHeaderText(inReplyTo).trim() || null,
    from: toAddresses(from, fallbackCharset),
    sender: toAddresses(sender, fallbackCharset),
    replyTo: toAddresses(replyTo, fallbackCharset),
    to: toAddresses(to, fallbackCharset),
    cc: toAddresses(cc, fallbackCharset),
    bcc: toAddresses(bcc, fallbackCharset),
  };
}

/** Without the ends of groups and addresses that have no content; the name of a group stands as a name alone. */
function toAddresses(list: ImapAttribute | undefined, fallbackCharset: string | null): Address[] {
  const addresses: Address[] = [];
  for (const entry of listOf(list)) {
    const [displayName, , mailboxPart, hostPart] = listOf(entry);
    const mailbox = half(mailboxPart, fallbackCharset);
    const host = half(hostPart, fallbackCharset);
    const shown = toHeaderText(displayName, fallbackCharset).trim();
    const address = mailbox && host ? `${mailbox}@${host}` : '';
    const name = shown || (address ? '' : mailbox);
    if (name || address) addresses.push({ name, address });
  }
  return addresses;
}

function half(attribute: ImapAttribute | undefined, fallbackCharset: string | null): string {
  return placeholders.has(textOf(attribute)) ? '' : toHeaderText(attribute, fallbackCharset).trim();
}
