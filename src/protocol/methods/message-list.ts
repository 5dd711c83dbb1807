import { z } from 'zod';
import { keptMethod } from '../define.js';
import { cursor, mailboxName, meta, pageLimit, state, uidValidity } from '../models.js';
import { fields, messageSummary } from '../rows.js';

export const messageListMethods = {
  'message.list': keptMethod({
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
};
