import { z } from 'zod';
import { criteria } from '../criteria.js';
import { readMethod } from '../define.js';
import { mailboxName, meta, pageLimit, uid, uidValidity } from '../models.js';

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

export const messageThreadsMethods = {
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
