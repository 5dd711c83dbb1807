import type { MessageSummary } from '../../protocol/models.js';
import { parseHeaders } from './raw-headers.js';
import { sentAt } from './sort-key.js';
import type { ThreadMessage } from './thread-references.js';

/**
 * What threading needs to know of a message, with the subject and date that are shown of it.
 * @param headers its References header
 */
export function toThreadMessage({ uid, envelope, internalDate }: MessageSummary, headers: Uint8Array): ThreadMessage {
  const references = parseHeaders(headers).find(({ name }) => name.toLowerCase() === 'references');
  const named = idsOf(references?.value);
  return {
    uid,
    id: idsOf(envelope?.messageId)[0] ?? null,
    // In-Reply-To counts only where References is missing, and of it only the first (RFC 5256 section 3).
    references: named.length > 0 ? named : idsOf(envelope?.inReplyTo).slice(0, 1),
    subject: envelope?.subject ?? '',
    date: sentAt(envelope, internalDate),
  };
}

function idsOf(text: string | null | undefined): string[] {
  return text?.match(/<[^<>\s]+>/g) ?? [];
}
