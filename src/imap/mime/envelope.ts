import type { Address, Envelope } from '../../protocol/models.js';
import { type ImapAttribute, listOf, textOf } from '../wire/tokens.js';
import { toIso } from './convert-date.js';
import { toHeaderText, toRawText, withoutControls } from './header-text.js';

/** Placeholders of servers for a missing half of an address: Dovecot's, then those of UW and Cyrus. */
const missing = new Set(['MISSING_MAILBOX', 'MISSING_DOMAIN', '.MISSING-HOST-NAME.', 'unspecified-domain']);
/** Placeholders of servers for an address that they could not parse: then the other half is no mailbox. */
const unreadable = new Set([
  'SYNTAX_ERROR',
  'INVALID_ROUTE',
  '.SYNTAX-ERROR.',
  'INVALID_ADDRESS',
  'MISSING_MAILBOX_TERMINATOR',
  'UNEXPECTED_DATA_AFTER_ADDRESS',
]);
/** A local part that needs no quotes (RFC 5322 section 3.2.3, RFC 6532); misplaced dots are accepted, as common. */
const plainLocalPart = /^[^\s"(),:;<>@[\\\]]*$/;

/**
 * ENVELOPE (RFC 9051 section 7.5.2) in the contract's shape.
 * @param fallbackCharset of raw 8-bit text that is not UTF-8
 */
export function toEnvelope(attribute: ImapAttribute | undefined, fallbackCharset: string | null = null): Envelope {
  const [date, subject, from, sender, replyTo, to, cc, bcc, inReplyTo, messageId] = listOf(attribute);
  return {
    date: toIso(toHeaderText(date)),
    subject: withoutControls(toHeaderText(subject, fallbackCharset)),
    messageId: toRawText(messageId) || null,
    inReplyTo: toRawText(inReplyTo) || null,
    from: toAddresses(from, fallbackCharset),
    sender: toAddresses(sender, fallbackCharset),
    replyTo: toAddresses(replyTo, fallbackCharset),
    to: toAddresses(to, fallbackCharset),
    cc: toAddresses(cc, fallbackCharset),
    bcc: toAddresses(bcc, fallbackCharset),
  };
}

/**
 * The addresses of a list, without ends of groups, placeholders, and empty addresses. A group's name comes before its
 * members, as a name without an address.
 */
function toAddresses(list: ImapAttribute | undefined, fallbackCharset: string | null): Address[] {
  const addresses: Address[] = [];
  for (const entry of listOf(list)) {
    const [displayName, , mailbox, host] = listOf(entry);
    const shown = withoutControls(toHeaderText(displayName, fallbackCharset));
    // Without a host the mailbox is the name of a group; without both the entry ends a group (RFC 9051 section 7.5.2).
    const address = host === null || unreadable.has(textOf(host)) ? '' : spec(half(mailbox), half(host));
    const name = shown || (address === '' ? phrase(mailbox, fallbackCharset) : '');
    if (name || address) addresses.push({ name, address });
  }
  return addresses;
}

function phrase(mailbox: ImapAttribute | undefined, fallbackCharset: string | null): string {
  return half(mailbox) === '' ? '' : withoutControls(toHeaderText(mailbox, fallbackCharset));
}

/**
 * An addr-spec (RFC 5322 section 3.4.1), or only a local part, as in mail within one host. Encoded words stay as they
 * are (RFC 2047 section 5 rule 3): decoded, they would form an address that the mail does not come from.
 */
function spec(local: string, domain: string): string {
  if (local === '') return '';
  const quoted = plainLocalPart.test(local) ? local : `"${local.replace(/["\\]/g, '\\$&')}"`;
  return domain === '' ? quoted : `${quoted}@${domain}`;
}

function half(attribute: ImapAttribute | undefined): string {
  const text = textOf(attribute);
  return missing.has(text) || unreadable.has(text) ? '' : toRawText(attribute);
}
