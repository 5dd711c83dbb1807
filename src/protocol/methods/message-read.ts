import { z } from 'zod';
import { readMethod } from '../define.js';
import { protocolLimits } from '../limits.js';
import {
  attachment,
  bodyItem,
  cursor,
  envelope,
  failedUids,
  fields,
  mailboxName,
  messageSummary,
  meta,
  pageLimit,
  state,
  streamId,
  structure,
  transfer,
  uid,
  uids,
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

const criteriaLeaf = {
  text: z.string().min(1).max(1000).optional().describe('Anywhere in headers or body.'),
  body: z.string().min(1).max(1000).optional(),
  subject: z.string().min(1).max(1000).optional(),
  from: z.string().min(1).max(1000).optional(),
  to: z.string().min(1).max(1000).optional(),
  cc: z.string().min(1).max(1000).optional(),
  bcc: z.string().min(1).max(1000).optional(),
  header: z
    .strictObject({
      name: z.string().regex(/^[!-9;-~]{1,100}$/, 'a header name is printable ASCII without colon'),
      value: z.string().max(1000).describe('Empty: the header is present.'),
    })
    .optional(),
  seen: z.boolean().optional(),
  answered: z.boolean().optional(),
  flagged: z.boolean().optional(),
  deleted: z.boolean().optional(),
  draft: z.boolean().optional(),
  keyword: z.string().min(1).max(200).optional(),
  notKeyword: z.string().min(1).max(200).optional(),
  largerThan: z.int().min(0).max(4_294_967_295).optional().describe('Bytes.'),
  smallerThan: z.int().min(0).max(4_294_967_295).optional().describe('Bytes.'),
  receivedSince: z.iso.date().optional().describe('Internal date, that day or later (the day is the server’s).'),
  receivedBefore: z.iso.date().optional().describe('Internal date, before that day.'),
  sentSince: z.iso.date().optional().describe('Date header.'),
  sentBefore: z.iso.date().optional().describe('Date header.'),
  uids: uids.optional(),
};

/** Search criteria: members of one object must all hold; `or`, `and` and `not` nest. */
export type Criteria = z.infer<z.ZodObject<typeof criteriaLeaf>> & {
  and?: Criteria[] | undefined;
  or?: Criteria[] | undefined;
  not?: Criteria | undefined;
};
export const criteria: z.ZodType<Criteria> = z
  .strictObject({
    ...criteriaLeaf,
    get and() {
      return z.array(criteria).min(1).max(20).optional();
    },
    get or() {
      return z.array(criteria).min(2).max(20).optional();
    },
    get not() {
      return criteria.optional();
    },
  })
  .meta({ id: 'Criteria' });

export const sortKey = z.enum(['arrival', 'date', 'from', 'to', 'cc', 'subject', 'size']);
const sort = z.strictObject({ by: sortKey, descending: z.boolean().default(false) });
export type Sort = z.infer<typeof sort>;

/** A conversation; `replies` are in order of their dates. A missing parent has no uid (RFC 5256 section 3). */
export interface Thread {
  uid: number | null;
  replies: Thread[];
}
export const thread: z.ZodType<Thread> = z
  .object({
    uid: uid.nullable(),
    get replies() {
      return z.array(thread);
    },
  })
  .meta({ id: 'Thread' });

export const messageReadMethods = {
  'message.list': readMethod({
    name: 'message.list',
    summary: 'A page of the index, newest first.',
    params: {
      mailbox: mailboxName,
      uidValidity: uidValidity
        .optional()
        .describe('When given, another UIDVALIDITY at the server answers STATE_CHANGED.'),
      limit: pageLimit,
      cursor: cursor.optional(),
      fields,
    },
    result: {
      uidValidity,
      total: z.int().describe('Messages in the folder.'),
      messages: z.array(messageSummary),
      nextCursor: cursor.nullable().describe('null on the last page.'),
      state: state
        .nullable()
        .describe(
          'For mailbox.changes, which tells what became of the messages of this page; null where it could not.',
        ),
      meta,
    },
    errors: ['NOT_FOUND', 'STATE_CHANGED', 'IMAP_NO'],
  }),
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
  'message.search': readMethod({
    name: 'message.search',
    summary: 'Finds messages by criteria; sorted by the server where it can, else by the broker.',
    params: {
      mailbox: mailboxName,
      uidValidity: uidValidity.optional(),
      criteria,
      sort: z
        .array(sort)
        .min(1)
        .max(3)
        .default([{ by: 'arrival', descending: true }]),
      limit: pageLimit,
      offset: z.int().min(0).max(1_000_000).default(0).describe('Hits to pass over.'),
      fields: fields.describe('Members of each row beside its uid; empty for uids alone.'),
    },
    result: {
      uidValidity,
      total: z.int().describe('Hits in all.'),
      messages: z.array(messageSummary),
      nextOffset: z.int().nullable().describe('null on the last page.'),
      sortedBy: z.enum(['server', 'broker']),
      meta,
    },
    errors: ['NOT_FOUND', 'STATE_CHANGED', 'IMAP_NO', 'TOO_LARGE'],
  }),
  'message.threads': readMethod({
    name: 'message.threads',
    summary: 'Conversations, those with the newest message first.',
    params: {
      mailbox: mailboxName,
      uidValidity: uidValidity.optional(),
      criteria: criteria.default({}),
      limit: pageLimit.describe('Conversations in a page.'),
      offset: z.int().min(0).max(1_000_000).default(0),
    },
    result: {
      uidValidity,
      total: z.int().describe('Conversations in all.'),
      threads: z.array(thread),
      nextOffset: z.int().nullable(),
      threadedBy: z.enum(['server', 'broker']),
      meta,
    },
    errors: ['NOT_FOUND', 'STATE_CHANGED', 'IMAP_NO', 'TOO_LARGE'],
  }),
};

/** Bytes that `transfer: "inline"` may carry; more answers TOO_LARGE. */
export const inlineLimit = protocolLimits.inlineBytes;
