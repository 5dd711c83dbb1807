import { z } from 'zod';
import { uids } from './models.js';

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

export const sortKey = z.enum(['arrival', 'date', 'from', 'to', 'cc', 'subject', 'size', 'uid']);
export const sort = z.strictObject({ by: sortKey, descending: z.boolean().default(false) });
export type Sort = z.infer<typeof sort>;
