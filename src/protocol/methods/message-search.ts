import { z } from 'zod';
import { criteria, sort } from '../criteria.js';
import { readMethod } from '../define.js';
import { mailboxName, meta, pageLimit, uidValidity } from '../models.js';
import { fields, messageSummary } from '../rows.js';

export const messageSearchMethods = {
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
      sortedBy: z.enum(['folder', 'server', 'broker']),
      meta,
    },
    errors: ['NOT_FOUND', 'STATE_CHANGED', 'IMAP_NO', 'TOO_LARGE'],
  }),
};
