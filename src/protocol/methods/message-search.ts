import { z } from 'zod';
import { criteria, sortOverFolders } from '../criteria.js';
import { readMethod } from '../define.js';
import { protocolLimits } from '../limits.js';
import { cursor, mailboxName, meta, pageLimit, uidValidity } from '../models.js';
import { fields, messageSummary } from '../rows.js';

const mailboxes = z
  .union([
    z.array(mailboxName).min(1).max(protocolLimits.searchedFolders),
    z.strictObject({ below: mailboxName }),
    z.enum(['all', 'subscribed']),
  ])
  .describe(
    `Names of 1 to ${protocolLimits.searchedFolders} folders; {below: name} for the folder of that name and all below it; "subscribed"; or "all", every folder that can hold messages, Trash and Junk too. Where the server has a folder with all messages (Gmail), "all" searches that one, Trash and Junk alone, because the others show the same messages again.`,
  );

const row = messageSummary.extend({ mailbox: mailboxName, uidValidity });

export const messageSearchMethods = {
  'message.search': readMethod({
    name: 'message.search',
    summary: 'Finds messages in several folders by criteria, in one order; the server sorts where it can.',
    params: {
      mailboxes,
      filter: criteria.default({}).describe('What the messages have to meet; default: all messages.'),
      sort: z
        .array(sortOverFolders)
        .min(1)
        .max(3)
        .default([{ by: 'arrival', descending: true }])
        .describe('The order of the messages of all folders. Default: newest first, by internal date.'),
      limit: pageLimit,
      cursor: cursor.optional().describe('The nextCursor of the page before; opaque. Not together with offset.'),
      offset: z.int().min(0).max(1_000_000).optional().describe('Hits to pass over.'),
      countOnly: z.boolean().default(false).describe('Answers total, without messages.'),
      fields: fields.describe('Members of each row beside uid, mailbox and uidValidity; empty for those alone.'),
    },
    result: {
      total: z.int().describe('Hits in all folders that were searched.'),
      messages: z.array(row).describe('Messages that are gone since the order was made are left out.'),
      nextCursor: cursor.nullable().describe('null on the last page.'),
      nextOffset: z.int().nullable().describe('null on the last page.'),
      incomplete: z
        .array(mailboxName)
        .describe(
          'Folders that were left out, each once: the deadline came before them, or the server refused to open or to search them.',
        ),
      searched: z.int().describe('Number of folders that were searched.'),
      meta,
    },
    errors: ['NOT_FOUND', 'IMAP_NO', 'TOO_LARGE', 'UNSUPPORTED'],
  }),
};
