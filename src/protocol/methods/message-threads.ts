import { z } from 'zod';
import { criteria } from '../criteria.js';
import { keptMethod, readMethod } from '../define.js';
import { cursor, date, mailboxName, meta, pageLimit, state, uid, uidValidity } from '../models.js';
import { fields, messageSummary } from '../rows.js';

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

const conversation = z.object({
  tree: thread.describe('The first message with the replies to it; its uid is null where that message is not there.'),
  count: z.int().describe('Messages in it.'),
  unseen: z.int().describe('Those of them without the flag \\Seen.'),
  newest: date.describe(
    'The latest date of its messages: the Date header, or when the server received it where that header is missing.',
  ),
  messages: z
    .array(messageSummary)
    .describe('Rows of its messages, oldest first; none where `fields` is empty. The newest 100 at most: see `more`.'),
  more: z
    .boolean()
    .describe('Whether rows of older messages are left out: a page has 5,000 rows at most; message.get has them all.'),
});

/** Folders of one message.thread. */
const MOST_FOLDERS = 20;

export const messageThreadsMethods = {
  'message.threads': keptMethod({
    name: 'message.threads',
    summary: 'Conversations of a folder, those with the newest message first.',
    params: {
      mailbox: mailboxName,
      uidValidity: uidValidity.optional(),
      filter: criteria.default({}).describe('Only messages that it finds are in conversations: see `whole`.'),
      whole: z
        .boolean()
        .default(false)
        .describe('Whether a conversation in which the filter finds a message comes with all of its messages.'),
      sort: z.enum(['newest', 'oldest']).default('newest').describe('By the date of the newest message of each.'),
      limit: pageLimit.describe('Conversations in a page.'),
      cursor: cursor
        .optional()
        .describe('Goes on behind the last conversation of the page before, whatever has come or gone meanwhile.'),
      offset: z.int().min(0).max(1_000_000).optional().describe('Conversations to leave out; not with cursor.'),
      fields,
    },
    result: {
      uidValidity,
      total: z.int().describe('Conversations in all.'),
      threads: z.array(conversation),
      nextOffset: z.int().nullable(),
      nextCursor: cursor.nullable().describe('null on the last page.'),
      threadedBy: z.enum(['server', 'broker']),
      state,
      meta,
    },
    errors: ['NOT_FOUND', 'STATE_CHANGED', 'IMAP_NO', 'TOO_LARGE', 'UNSUPPORTED'],
  }),
  'message.thread': readMethod({
    name: 'message.thread',
    summary: 'The conversation of one message, over folders.',
    params: {
      mailbox: mailboxName,
      uidValidity,
      uid,
      mailboxes: z
        .array(mailboxName)
        .min(1)
        .max(MOST_FOLDERS)
        .optional()
        .describe(
          'Folders to look in. Default: the folder of the message and the one with \\Sent; where the server has a folder with \\All, that one alone.',
        ),
      fields,
    },
    result: {
      messages: z
        .array(messageSummary.extend({ mailbox: mailboxName, uidValidity }))
        .describe('By date, oldest first. Copies of a message in two folders are both there.'),
      more: z.boolean().describe('Whether a bound was met: 500 messages, or three rounds of following references.'),
      incomplete: z
        .array(mailboxName)
        .describe('Folders that were not searched, or not to the end: the server refused, or the deadline came.'),
      by: z.enum(['server', 'headers']).describe('server: the server names the conversation of each message.'),
      meta,
    },
    errors: ['NOT_FOUND', 'STATE_CHANGED', 'IMAP_NO', 'TOO_LARGE'],
  }),
};
