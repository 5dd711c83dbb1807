import { z } from 'zod';
import { label, uid, uids } from './models.js';

const day = (meaning: string) => z.iso.date().optional().describe(meaning);
const seconds = z.int().min(1).max(4_294_967_295).optional();
const objectId = z
  .string()
  .regex(/^[A-Za-z0-9_-]{1,255}$/, 'an object identifier is 1 to 255 letters, digits, hyphens and underscores')
  .optional();

const criteriaLeaf = {
  text: z.string().min(1).max(1000).optional().describe('Anywhere in headers or body.'),
  body: z.string().min(1).max(1000).optional().describe('In the body.'),
  subject: z.string().min(1).max(1000).optional().describe('In the subject.'),
  from: z.string().min(1).max(1000).optional().describe('In the From header: a name or an address, or a part of it.'),
  to: z.string().min(1).max(1000).optional().describe('In the To header.'),
  cc: z.string().min(1).max(1000).optional().describe('In the Cc header.'),
  bcc: z.string().min(1).max(1000).optional().describe('In the Bcc header.'),
  header: z
    .strictObject({
      name: z
        .string()
        .regex(/^[!-9;-~]{1,100}$/, 'a header name is printable ASCII without colon')
        .describe('Name of the header.'),
      value: z.string().max(1000).describe('Empty: the header is present.'),
    })
    .optional()
    .describe('In another header.'),
  seen: z.boolean().optional().describe('With the flag \\Seen, or without it.'),
  answered: z.boolean().optional().describe('With the flag \\Answered, or without it.'),
  flagged: z.boolean().optional().describe('With the flag \\Flagged, or without it.'),
  deleted: z.boolean().optional().describe('With the flag \\Deleted, or without it.'),
  draft: z.boolean().optional().describe('With the flag \\Draft, or without it.'),
  keyword: z.string().min(1).max(200).optional().describe('With this keyword.'),
  notKeyword: z.string().min(1).max(200).optional().describe('Without this keyword.'),
  largerThan: z.int().min(0).max(4_294_967_295).optional().describe('Bytes.'),
  smallerThan: z.int().min(0).max(4_294_967_295).optional().describe('Bytes.'),
  receivedSince: day('Internal date, that day or later (the day is the server’s).'),
  receivedBefore: day('Internal date, before that day.'),
  receivedOn: day('Internal date, that day.'),
  sentSince: day('Date header, that day or later.'),
  sentBefore: day('Date header, before that day.'),
  sentOn: day('Date header, that day.'),
  savedSince: day('Put into the folder on that day or later (SAVEDATE, RFC 8514).'),
  savedBefore: day('Put into the folder before that day (SAVEDATE).'),
  savedOn: day('Put into the folder on that day (SAVEDATE).'),
  youngerThanSeconds: seconds.describe(
    'Internal date at most so long ago (WITHIN, RFC 5032; without it the broker compares, by its own clock).',
  ),
  olderThanSeconds: seconds.describe('Internal date at least so long ago (WITHIN, else the broker compares).'),
  uids: uids.optional(),
  uidRanges: z
    .array(
      z.strictObject({
        from: uid,
        to: uid.optional().describe('Inclusive, not below `from`; without it up to the newest message.'),
      }),
    )
    .min(1)
    .max(1000)
    .optional()
    .describe('Uids in any of these ranges.'),
  uidAfter: z.int().min(0).max(4_294_967_294).optional().describe('Uids above this one: all that came after it.'),
  modseqSince: z
    .string()
    .regex(/^\d{1,19}$/, 'a mod-sequence is a decimal number of up to 63 bits')
    .optional()
    .describe('Changed with this mod-sequence or a later one; decimal digits (CONDSTORE, RFC 7162).'),
  emailId: objectId.describe('The message of this EMAILID (OBJECTID, RFC 8474), or of this X-GM-MSGID on Gmail.'),
  threadId: objectId.describe('Messages of this THREADID (OBJECTID), or of this X-GM-THRID on Gmail.'),
  label: label.optional().describe('Messages with this label (Gmail).'),
  gmailRaw: z
    .string()
    .min(1)
    .max(1000)
    .optional()
    .describe('A search in the words of Gmail, such as `has:attachment in:unread` (X-GM-RAW, Gmail).'),
};

/** Search criteria: members of one object must all hold; `or`, `and`, `not` and `fuzzy` nest. */
export type Criteria = z.infer<z.ZodObject<typeof criteriaLeaf>> & {
  and?: Criteria[] | undefined;
  or?: Criteria[] | undefined;
  not?: Criteria | undefined;
  fuzzy?: Criteria | undefined;
};
export const criteria: z.ZodType<Criteria> = z
  .strictObject({
    ...criteriaLeaf,
    get and() {
      return z.array(criteria).min(1).max(20).optional().describe('All of these must hold.');
    },
    get or() {
      return z.array(criteria).min(1).max(20).optional().describe('At least one of these must hold.');
    },
    get not() {
      return criteria.optional().describe('These must not hold.');
    },
    get fuzzy() {
      return criteria
        .optional()
        .describe('Matched loosely, as the server understands it (SEARCH=FUZZY, RFC 6203), else exactly.');
    },
  })
  .meta({ id: 'Criteria' });

export const sortKey = z
  .enum(['arrival', 'date', 'from', 'to', 'cc', 'subject', 'size', 'uid'])
  .describe('arrival: the internal date; date: the Date header.');
export const sort = z.strictObject({
  by: sortKey,
  descending: z.boolean().default(false).describe('The greatest first, or the latest.'),
});
export type Sort = z.infer<typeof sort>;

/** An order over folders, in which uids cannot be compared. */
export const sortOverFolders = sort.extend({ by: sortKey.exclude(['uid']) });
export type SortOverFolders = z.infer<typeof sortOverFolders>;
