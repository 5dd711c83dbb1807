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

const sent = {
  stream: streamId.nullable().describe('The stream that carries the bytes; null when they are inline.'),
  data: z.string().nullable().describe('The bytes in base64 when they were asked for inline; else null.'),
};

export const messageReadMethods = {
  'message.get': readMethod({
    name: 'message.get',
    summary: 'Opens messages: headers, structure, decoded texts, list of attachments. Sets no flag.',
    params: {
      ...folder,
      uids: z.array(uid).min(1).max(50),
      headers: z.boolean().default(false).describe('All header lines, decoded, in their order.'),
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
    },
    result: {
      messages: z.array(
        z.object({
          uid,
          flags: z.array(z.string()),
          envelope,
          size: z.int().describe('RFC822.SIZE: bytes of the whole message, its parts encoded.'),
          internalDate: z.iso.datetime(),
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
    summary: 'The decoded bytes of one part, as a stream or inline.',
    params: { ...folder, uid, part: z.string().regex(/^[1-9]\d{0,3}(\.[1-9]\d{0,3}){0,49}$/), ...body },
    result: {
      type: z.string(),
      parameters: z.record(z.string(), z.string()),
      fileName: z.string().nullable(),
      contentId: z.string().nullable(),
      encodedSize: z.int().describe('Bytes of the whole part before decoding, as the server states them.'),
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
