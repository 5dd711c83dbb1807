import type { MessageSummary } from '../../protocol/models.js';
import { parseHeaders } from './raw-headers.js';
import { sentAt } from './sort-key.js';
import type { ThreadMessage } from './thread-references.js';

/** Bytes of a References header that are read. */
const MOST_BYTES = 64 * 1024;
/** Ids of it that count: of more than these the first, which began the thread, and the last, which are nearest. */
const MOST_REFERENCES = 100;

/**
 * What threading needs to know of a message, with the subject and date that are shown of it.
 * @param headers its References header
 */
export function toThreadMessage({ uid, envelope, internalDate }: MessageSummary, headers: Uint8Array): ThreadMessage {
  const lines = parseHeaders(headers.subarray(0, MOST_BYTES));
  const references = lines.find(({ name }) => name.toLowerCase() === 'references');
  const named = idsOf(references?.value);
  return {
    uid,
    id: idsOf(envelope?.messageId)[0] ?? null,
    // In-Reply-To counts only where References is missing, and of it only the first (RFC 5256 section 3).
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
