import type { Sort } from '../../protocol/criteria.js';
import type { Address, Envelope } from '../../protocol/models.js';
import type { MessageSummary } from '../../protocol/rows.js';
import { baseSubject, casemap } from './threading/base-subject.js';

/** A value by which messages are compared. */
export type SortKey = string | number;

/** The key of a message, from its displayed fields: so lists are in the order of the dates and subjects they show. */
export function sortKey({ uid, envelope, internalDate, size }: MessageSummary, by: Sort['by']): SortKey {
  switch (by) {
    case 'uid':
      return uid;
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

/** Sent date in milliseconds since 1970; without one, the arrival date counts (RFC 5256 section 2.2). */
export function sentAt(envelope: Envelope | undefined, internalDate: string | undefined): number {
  return timeOf(envelope?.date) ?? timeOf(internalDate) ?? 0;
}

function timeOf(date: string | null | undefined): number | undefined {
  return date ? Date.parse(date) : undefined;
}

/** The mailbox part of the first address; for a group, its name, which an ENVELOPE has there (RFC 5256 section 3). */
function mailboxOf(first: Address | undefined): string {
  if (!first) return '';
  const { name, address } = first;
  if (address === '') return name;
  const local = address.includes('@') ? address.slice(0, address.lastIndexOf('@')) : address;
  return local.startsWith('"') ? local.slice(1, -1).replace(/\\(.)/gs, '$1') : local;
}
