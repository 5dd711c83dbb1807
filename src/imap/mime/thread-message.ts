import type { MessageSummary } from '../../protocol/rows.js';
import { parseHeaders } from './raw-headers.js';
import { sentAt } from './sort-key.js';
import type { ThreadMessage } from './thread-references.js';

/** Most bytes of a References header that are read. */
const MOST_BYTES = 64 * 1024;
/** Most ids of a References header; of more, the first, which began the thread, and the last, which are nearest. */
const MOST_REFERENCES = 100;

/**
 * The data of a message that threading needs, with the subject and date that clients show.
 * @param headers the References header of the message
 */
export function toThreadMessage({ uid, envelope, internalDate }: MessageSummary, headers: Uint8Array): ThreadMessage {
  const lines = parseHeaders(headers.subarray(0, MOST_BYTES));
  const references = lines.find(({ name }) => name.toLowerCase() === 'references');
  const named = idsOf(references?.value);
  return {
    uid,
    id: idsOf(envelope?.messageId)[0] ?? null,
    // In-Reply-To counts only where References is missing, and only its first id (RFC 5256 section 3).
    references: named.length > 0 ? shortened(named) : idsOf(envelope?.inReplyTo).slice(0, 1),
    subject: envelope?.subject ?? '',
    date: sentAt(envelope, internalDate),
  };
}

function shortened(ids: string[]): string[] {
  return ids.length > MOST_REFERENCES ? [...ids.slice(0, 1), ...ids.slice(1 - MOST_REFERENCES)] : ids;
}

function idsOf(text: string | null | undefined): string[] {
  return text?.match(/<[^<>\s]+>/g) ?? [];
}
