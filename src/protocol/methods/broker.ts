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
    summary: 'Quota of a folder (RFC 9208); of several roots the first that limits storage or messages.',
    params: { mailbox: mailboxName.default('INBOX') },
    result: {
      supported: z.boolean().describe('false: the server has no QUOTA; the rest is null then.'),
      root: z.string().nullable(),
      storage: resource.nullable().describe('Bytes.'),
      messages: resource.nullable(),
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
