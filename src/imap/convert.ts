import type { FetchMessageObject, MessageAddressObject, MessageEnvelopeObject } from 'imapflow';
import type { Address, Envelope } from '../protocol/models.js';

/** imapflow's envelope in the contract's shape. */
export function toEnvelope(envelope: MessageEnvelopeObject | undefined): Envelope {
  const { date, subject, messageId, inReplyTo, from, sender, replyTo, to, cc, bcc } = envelope ?? {};
  return {
    date: toIso(date),
    subject: subject ?? '',
    messageId: messageId || null,
    inReplyTo: inReplyTo || null,
    from: toAddresses(from),
    sender: toAddresses(sender),
    replyTo: toAddresses(replyTo),
    to: toAddresses(to),
    cc: toAddresses(cc),
    bcc: toAddresses(bcc),
  };
}

function toAddresses(list: MessageAddressObject[] | undefined): Address[] {
  return (list ?? []).map(({ name, address }) => ({ name: name || '', address: address || '' }));
}

/** RFC 3339 in UTC; null for what is no date, or one that no calendar has. */
export function toIso(date: Date | string | undefined): string | null {
  if (date === undefined) return null;
  const parsed = typeof date === 'string' ? new Date(date) : date;
  const year = parsed.getUTCFullYear();
  return Number.isNaN(year) || year < 0 || year > 9999 ? null : parsed.toISOString();
}

/** Flags in a stable order. `\Recent` is left out: it tells of sessions, not of the message (RFC 9051 drops it). */
export function toFlags(flags: FetchMessageObject['flags']): string[] {
  return [...(flags ?? [])].filter((flag) => flag.toLowerCase() !== '\\recent').sort();
}
