import type { Sort } from '../../protocol/methods/message-read.js';
import type { Address, Envelope, MessageSummary } from '../../protocol/models.js';
import { baseSubject, casemap } from './base-subject.js';

/** What messages are compared by. */
export type SortKey = string | number;

/** The key of a message, from what is shown of it: so lists are in the order of the dates and subjects in them. */
export function sortKey({ envelope, internalDate, size }: MessageSummary, by: Sort['by']): SortKey {
  switch (by) {
    case 'arrival':
      return timeOf(internalDate) ?? 0;
    case 'date':
      return sentAt(envelope, internalDate);
    case 'size':
      return size ?? 0;
    case 'subject':
      return casemap(baseSubject(envelope?.subject ?? ''));
    default:
      return casemap(mailboxOf(envelope?.[by][0]));
  }
}

/** Milliseconds since 1970; a message that does not say when it was sent counts as sent when it arrived (RFC 5256 section 2.2). */
export function sentAt(envelope: Envelope | undefined, internalDate: string | undefined): number {
  return timeOf(envelope?.date) ?? timeOf(internalDate) ?? 0;
}

function timeOf(date: string | null | undefined): number | undefined {
  return date ? Date.parse(date) : undefined;
}

/** The mailbox of the first address alone; of a group that is its name, which stands there in an ENVELOPE (RFC 5256 section 3). */
function mailboxOf(first: Address | undefined): string {
  if (!first) return '';
  const { name, address } = first;
  if (address === '') return name;
  const local = address.includes('@') ? address.slice(0, address.lastIndexOf('@')) : address;
  return local.startsWith('"') ? local.slice(1, -1).replace(/\\(.)/gs, '$1') : local;
}
