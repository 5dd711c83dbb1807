import { z } from 'zod';
import { readMethod, socketMethod } from '../define.js';
import { date, mailboxName, meta } from '../models.js';

const resource = z.object({
  used: z.int(),
  limit: z.int().nullable().describe('null: no limit.'),
});

export const brokerMethods = {
  'quota.get': readMethod({
    name: 'quota.get',
    summary: 'The quotas of a folder (RFC 9208), one for each of its roots, at most 20.',
    params: { mailbox: mailboxName.default('INBOX') },
    result: {
      supported: z.boolean().describe('false: the server has no QUOTA; roots is empty then.'),
      roots: z.array(
        z.object({
          root: z.string().describe("The server's name of the root, often empty; cut at 200 characters."),
          storage: resource.nullable().describe('Bytes; null where the root does not count them.'),
          messages: resource.nullable().describe('null where the root does not count them.'),
          others: z
            .array(resource.extend({ name: z.string() }))
            .describe("Other resources, such as MAILBOX, in the server's units."),
        }),
      ),
      meta,
    },
    errors: ['NOT_FOUND', 'IMAP_NO'],
  }),
  'broker.ping': socketMethod({
    name: 'broker.ping',
    summary: 'Answers at once; asks no IMAP server.',
    effect: 'local',
    params: {},
    result: z.object({ version: z.string(), epoch: z.string(), time: date }),
  }),
  'rpc.discover': socketMethod({
    name: 'rpc.discover',
    summary: 'The OpenRPC document of this contract.',
    effect: 'local',
    params: {},
    result: z.record(z.string(), z.unknown()),
  }),
};
