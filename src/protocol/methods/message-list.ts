import { z } from 'zod';
import { criteria, sort } from '../criteria.js';
import { keptMethod } from '../define.js';
import { protocolLimits } from '../limits.js';
import { cursor, mailboxName, meta, state, uidValidity } from '../models.js';
import { fields, messageSummary } from '../rows.js';

const { pageSize, uidsPerPage, sortedMessages } = protocolLimits;

export const messageListMethods = {
  'message.list': keptMethod({
    name: 'message.list',
    summary: 'A page of a folder: all messages or those that match, newest uid first or sorted.',
    params: {
      mailbox: mailboxName,
      uidValidity: uidValidity
        .optional()
        .describe('When given, another UIDVALIDITY at the server answers STATE_CHANGED.'),
      filter: criteria.optional().describe('Only messages that match. Default: all.'),
      sort: z
        .array(sort)
        .min(1)
        .max(3)
        .optional()
        .describe(
          `Default: the order of the folder, newest uid first. Sorted by the server where it has SORT, else by the broker, which takes ${sortedMessages.toLocaleString('en-US')} messages; beyond that: TOO_LARGE.`,
        ),
      limit: z.int().min(1).max(uidsPerPage).default(50).describe(`At most ${pageSize}, unless \`fields\` is empty.`),
      cursor: cursor.optional().describe('The nextCursor of the page before; opaque. Not together with `offset`.'),
      offset: z
        .int()
        .min(0)
        .max(4_000_000)
        .optional()
        .describe('Messages to pass over. A cursor holds while mail arrives and vanishes, an offset does not.'),
      countOnly: z.boolean().optional().describe('Answers `total` without any messages.'),
      fields: fields.describe('Members of each row beside its uid; empty for uids alone.'),
    },
    result: {
      uidValidity,
      total: z.int().describe('Messages in the folder, or those that match, on all pages.'),
      messages: z.array(messageSummary),
      nextCursor: cursor.nullable().describe('null on the last page.'),
      nextOffset: z.int().nullable().describe('Where the next page begins now; null on the last page.'),
      state: state
        .nullable()
        .describe(
          'For `ifState`, and for mailbox.changes, which tells what became of the messages of this page; null where it could not.',
        ),
      meta,
    },
    errors: ['NOT_FOUND', 'STATE_CHANGED', 'IMAP_NO', 'TOO_LARGE', 'UNSUPPORTED'],
  }),
};
