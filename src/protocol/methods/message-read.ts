import { z } from 'zod';
import { readMethod } from '../define.js';
import { protocolLimits } from '../limits.js';
import {
  attachment,
  bodyItem,
  envelope,
  failedUids,
  mailboxName,
  meta,
  streamId,
  structure,
  transfer,
  uid,
  uidValidity,
} from '../models.js';

const folder = { mailbox: mailboxName, uidValidity };

const range = {
  offset: z.int().min(0).max(4_294_967_295).default(0).describe('First byte.'),
  length: z.int().min(1).max(4_294_967_295).optional().describe('Most bytes to send; default: to the end.'),
};

const body = {
  transfer,
  ...range,
};

/** The number of a part, as the structure of a message has it (RFC 9051 section 6.4.5). */
const partNumber = z.string().regex(/^[1-9]\d{0,3}(\.[1-9]\d{0,3}){0,49}$/, 'not the number of a part, such as 1.2');

/** A part, or what belongs to it: its MIME header, or header and text of an attached message. */
const section = z
  .string()
  .regex(
    /^([1-9]\d{0,3}(\.[1-9]\d{0,3}){0,49}(\.(MIME|HEADER|TEXT))?|HEADER|TEXT)$/,
    'neither the number of a part, such as 1.2, nor one with .MIME, .HEADER or .TEXT behind it, nor HEADER or TEXT',
  )
  .describe(
    'Number of a part; of a multipart all that is in it. With .MIME its MIME header; .HEADER and .TEXT of an attached message; HEADER and TEXT of the message itself. A multipart and what is no number are sent as they are in the message.',
  );

/** A field name without what IMAP would have to quote. */
const headerName = z
  .string()
  .min(1)
  .max(100)
  .regex(/^[A-Za-z0-9!#$&'+.^_`|~-]+$/, 'not the name of a header field');

const sent = {
  stream: streamId.nullable().describe('The stream that carries the bytes; null when they are inline.'),
  data: z.string().nullable().describe('The bytes in base64 when they were asked for inline; else null.'),
};

export const messageReadMethods = {
  'message.get': readMethod({
    name: 'message.get',
    summary:
      'Opens messages, or a message that is attached to one: headers, structure, decoded texts, list of attachments. Sets no flag but with markSeen.',
    params: {
      ...folder,
      uids: z.array(uid).min(1).max(50).describe('Uids of messages in the folder, 1 to 50.'),
      part: partNumber
        .optional()
        .describe(
          'Opens the message that is attached as this part of the one message in uids. Part numbers in the answer are those of the outer message.',
        ),
      headers: z
        .union([z.boolean(), z.array(headerName).min(1).max(50)])
        .default(false)
        .describe('Header lines, decoded, in their order: all, or those of these names.'),
      only: z
        .enum(['text', 'html'])
        .optional()
        .describe('text: textBody alone is fetched and sent; html: htmlBody alone. Default: both.'),
      maxTextBytes: z
        .int()
        .min(0)
        .max(2 * 1024 * 1024)
        .default(512 * 1024)
        .describe('Bound of decoded bytes of the texts of textBody and of htmlBody, each; 0 leaves all texts out.'),
      markSeen: z
        .boolean()
        .optional()
        .describe(
          'Sets \\Seen, as a rule in the same round trip; a folder that keeps no \\Seen answers the messages all the same.',
        ),
    },
    result: {
      messages: z.array(
        z.object({
          uid,
          flags: z.array(z.string()),
          envelope,
          size: z
            .int()
            .describe(
              'RFC822.SIZE: bytes of the whole message, its parts encoded; with part those of the attached message.',
            ),
          internalDate: z.iso.datetime().describe('With part that of the outer message, as are uid and flags.'),
          headers: z.array(z.object({ name: z.string(), value: z.string() })).nullable(),
          structure,
          textBody: z
            .array(bodyItem)
            .nullable()
            .describe(
              'What is shown where plain text is preferred, in its order (RFC 8621 section 4.1.4): html where there is nothing else. null with only: html.',
            ),
          htmlBody: z
            .array(bodyItem)
            .nullable()
            .describe(
              'What is shown where html is preferred, in its order: plain text where there is nothing else. Html is as sent: sanitise it before you show it. null with only: text.',
            ),
          attachments: z.array(attachment).describe('All parts that are no texts of the body.'),
          truncated: z
            .boolean()
            .describe('Whether a bound cut the headers, the structure with what follows from it, or a text.'),
          unreadable: z
            .array(z.string())
            .optional()
            .describe(
              'Only where the answer of the IMAP server for this message is over a limit of the broker or damaged: members that have but the beginning of what the server said, or nothing.',
            ),
        }),
      ),
      notFound: failedUids,
      meta,
    },
    errors: ['NOT_FOUND', 'STATE_CHANGED'],
  }),
  'message.part': readMethod({
    name: 'message.part',
    summary: 'The bytes of one part, decoded or as they are in the message, or its text; as a stream or inline.',
    params: {
      ...folder,
      uid,
      part: section,
      encoded: z.boolean().optional().describe('Whether to leave the transfer encoding (base64 and such) as it is.'),
      as: z
        .enum(['text'])
        .optional()
        .describe('text: decoded to UTF-8 with LF line ends, as message.get shows it; not with offset or length.'),
      charset: z
        .string()
        .min(1)
        .max(100)
        .optional()
        .describe('With as: the charset to decode from, in place of the one that the part names.'),
      ...body,
    },
    result: {
      type: z.string(),
      parameters: z.record(z.string(), z.string()),
      fileName: z.string().nullable(),
      contentId: z.string().nullable(),
      encodedSize: z
        .int()
        .nullable()
        .describe(
          'Bytes of the whole part before decoding, as the server states them; null where it states none, as of a multipart or a header.',
        ),
      decodedSize: z
        .int()
        .nullable()
        .describe('Bytes of the whole part as it is sent, where that is known exactly; else null.'),
      ...sent,
    },
    errors: ['NOT_FOUND', 'STATE_CHANGED', 'TOO_LARGE', 'STREAM_STALLED'],
  }),
  'message.source': readMethod({
    name: 'message.source',
    summary: 'The raw message (RFC 5322), as a stream or inline.',
    params: { ...folder, uid, ...body },
    result: { size: z.int().describe('RFC822.SIZE: bytes of the whole message, as they are sent.'), ...sent },
    errors: ['NOT_FOUND', 'STATE_CHANGED', 'TOO_LARGE', 'STREAM_STALLED'],
  }),
};

/** Bytes that `transfer: "inline"` may carry; more answers TOO_LARGE. */
export const inlineLimit = protocolLimits.inlineBytes;
