import { z } from 'zod';
import { attachment, date, envelope, structure, uid } from './models.js';

export const listField = z.enum([
  'envelope',
  'flags',
  'size',
  'internalDate',
  'hasAttachment',
  'preview',
  'attachments',
  'structure',
  'emailId',
  'threadId',
  'labels',
]);
export type ListField = z.infer<typeof listField>;

/** The name of a header field (RFC 5322 section 2.2). */
export const headerName = z
  .string()
  .max(100)
  .regex(/^[!-9;-~]+$/, 'a header name is printable ASCII without a colon');

/** Header lines as a member of rows. */
export const headerField = z
  .strictObject({ headers: z.array(headerName).min(1).max(20) })
  .describe('Decoded header lines with these names, in any case.');

/** One element of `fields`. */
export const field = z.union([listField, headerField]);
export type Field = z.infer<typeof field>;

/** What may be damaged in a row. */
const rowMember = z.enum([...listField.options, 'headers']);
export type RowMember = z.infer<typeof rowMember>;

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
  preview: z
    .string()
    .nullable()
    .optional()
    .describe(
      'The beginning of the text, about 200 characters: PREVIEW (RFC 8970), else made by the broker. null where there is nothing to read.',
    ),
  previewSource: z
    .enum(['server', 'broker'])
    .nullable()
    .optional()
    .describe('Comes with preview: what made it; null where it is null.'),
  attachments: z
    .array(attachment)
    .optional()
    .describe('As in message.get; without reading the html, so what only the html shows as inline is an attachment.'),
  structure: structure.optional(),
  emailId: z
    .string()
    .nullable()
    .optional()
    .describe(
      'EMAILID (RFC 8474), the same in every folder; X-GM-MSGID in decimal on Gmail; null where there is none.',
    ),
  threadId: z
    .string()
    .nullable()
    .optional()
    .describe('THREADID (RFC 8474); X-GM-THRID in decimal on Gmail; null where there is none.'),
  labels: z
    .array(z.string())
    .nullable()
    .optional()
    .describe('X-GM-LABELS: labels of Gmail, asked for in each request; null where the server has no labels.'),
  headers: z
    .array(z.object({ name: z.string(), value: z.string() }))
    .optional()
    .describe(
      'Decoded as in message.get: in the order of the names asked for, spelled as there; lines of one name in the order of the mail. Of up to 16 KB of header lines.',
    ),
  unreadable: z
    .array(rowMember)
    .optional()
    .describe(
      'Only where the answer of the IMAP server for this message is over a limit of the broker, damaged or refused: members that have but the beginning of what the server said, or nothing.',
    ),
});
export type MessageSummary = z.infer<typeof messageSummary>;

/** The default members of rows: in answers where nothing else is asked for, and in events. */
export const defaultFields: ListField[] = ['envelope', 'flags', 'size', 'internalDate'];

export const fields = z
  .array(field)
  .max(20)
  .refine((list) => list.filter((one) => typeof one === 'object').length <= 1, 'names headers in one element only')
  .default(defaultFields)
  .describe('Members of each row beside its uid.');

/** Whether a member other than headers is asked for. */
export function asksFor(fields: readonly Field[], name: ListField): boolean {
  return fields.includes(name);
}

/** The members of rows that are asked for, in the order of the request. */
export function membersOf(fields: readonly Field[]): RowMember[] {
  return fields.map((one) => (typeof one === 'string' ? one : 'headers'));
}

/** The header names that are asked for, as the caller spells them, each once. */
export function headersOf(fields: readonly Field[]): string[] {
  const names = new Map<string, string>();
  for (const one of fields) {
    if (typeof one === 'string') continue;
    for (const name of one.headers) if (!names.has(name.toLowerCase())) names.set(name.toLowerCase(), name);
  }
  return [...names.values()];
}
