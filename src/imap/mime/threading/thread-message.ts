import { createHash, randomBytes } from 'node:crypto';
import type { MessageSummary } from '../../../protocol/rows.js';
import { parseHeaders } from '../raw-headers.js';
import { sentAt } from '../sort-key.js';
import { baseSubject, casemap, isReply } from './base-subject.js';
import type { ThreadMessage } from './thread-references.js';

/** Most bytes of a References header that are read. */
const MOST_BYTES = 64 * 1024;
/** Most ids of a References header; of more, the first, which began the thread, and the last, which are nearest. */
const MOST_REFERENCES = 100;

/** The ids in the headers of a message. */
export interface MessageIds {
  /** Its own. */
  id: string | null;
  /** Those of its References, oldest first; where that header is missing, the first of In-Reply-To. */
  references: string[];
}

/**
 * The ids of a message, with angle brackets.
 * @param headers the References header of the message
 */
export function messageIds(summary: MessageSummary, headers: Uint8Array): MessageIds {
  const lines = parseHeaders(headers.subarray(0, MOST_BYTES));
  return idsIn(summary, lines.find(({ name }) => name.toLowerCase() === 'references')?.value);
}

function idsIn({ envelope }: MessageSummary, references: string | undefined): MessageIds {
  const named = idsOf(references);
  return {
    id: idsOf(envelope?.messageId)[0] ?? null,
    // In-Reply-To counts only where References is missing, and only its first id (RFC 5256 section 3).
    references: named.length > 0 ? shortened(named) : idsOf(envelope?.inReplyTo).slice(0, 1),
  };
}

/** Ids of an In-Reply-To that are followed from message to message. */
const MOST_REPLIED = 10;

/**
 * All ids that link a message to others: those of {@link messageIds}, and all of its In-Reply-To.
 * @param named the value of its References header
 */
export function linksOf(summary: MessageSummary, named: string | undefined): MessageIds {
  const { id, references } = idsIn(summary, named);
  const replied = idsOf(summary.envelope?.inReplyTo).slice(0, MOST_REPLIED);
  return { id, references: [...new Set([...references, ...replied])] };
}

/**
 * The data of a message that threading needs, with the subject and date that clients show. Ids and subjects are
 * numbers, as {@link threadKey} makes them: a hundred thousand messages are kept.
 * @param headers the References header of the message
 */
export function toThreadMessage(summary: MessageSummary, headers: Uint8Array): ThreadMessage {
  const { id, references } = messageIds(summary, headers);
  const subject = summary.envelope?.subject ?? '';
  return {
    uid: summary.uid,
    id: id === null ? null : threadKey(id),
    references: references.map(threadKey),
    subject: threadKey(casemap(baseSubject(subject))),
    isReply: isReply(subject),
    date: sentAt(summary.envelope, summary.internalDate),
  };
}

/** Makes the keys of this process unlike those of another one, so that no mail can be written to have the key of another. */
const salt = randomBytes(16);

/** A number of 52 bits in place of a text, equal for equal texts; 0 for the empty one. */
export function threadKey(text: string): number {
  if (text === '') return 0;
  const digest = createHash('sha1').update(salt).update(text).digest();
  return digest.readUIntBE(0, 6) * 16 + (digest.readUInt8(6) & 15) || 1;
}

function shortened(ids: string[]): string[] {
  return ids.length > MOST_REFERENCES ? [...ids.slice(0, 1), ...ids.slice(1 - MOST_REFERENCES)] : ids;
}

function idsOf(text: string | null | undefined): string[] {
  return text?.match(/<[^<>\s]+>/g) ?? [];
}
