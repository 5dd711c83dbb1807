import { z } from 'zod';
import { date, envelope, uid } from './models.js';

export const listField = z.enum(['envelope', 'flags', 'size', 'internalDate', 'hasAttachment', 'preview']);
export type ListField = z.infer<typeof listField>;

/** One row of an index page. Which members are there follows from `fields`. */
export const messageSummary = z.object({
  uid,
  envelope: envelope.optional(),
  flags: z.array(z.string()).optional(),
  size: z.int().optional().describe('RFC822.SIZE: bytes of the whole message, its parts encoded.'),
  internalDate: date.optional().describe('When the server received it.'),
  hasAttachment: z
    .boolean()
    .optional()
    .describe(
      'Whether something is attached that a person would call an attachment: not pictures of the html, signatures, invitations or the parts of a bounce.',
    ),
  preview: z.string().nullable().optional().describe('PREVIEW (RFC 8970); null where the server has none.'),
  unreadable: z
    .array(listField)
    .optional()
    .describe(
      'Only where the answer of the IMAP server for this message is over a limit of the broker or damaged: members that have but the beginning of what the server said, or nothing.',
    ),
});
export type MessageSummary = z.infer<typeof messageSummary>;

/** The default members of rows: in answers where nothing else is asked for, and in events. */
export const defaultFields: ListField[] = ['envelope', 'flags', 'size', 'internalDate'];

export const fields = z.array(listField).max(10).default(defaultFields).describe('Members of each row beside its uid.');
