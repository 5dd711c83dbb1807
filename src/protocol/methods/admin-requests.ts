import { z } from 'zod';
import { adminMethod } from '../define.js';
import { configuredName, date } from '../models.js';
import { loginName } from './session.js';

/** Single requests as operators see them: which they are and how long they take, not what is in them. */
export const adminRequestMethods = {
  'request.slowest': adminMethod({
    name: 'request.slowest',
    summary: 'The 20 slowest requests of applications that were answered in the last five minutes, the slowest first.',
    effect: 'local',
    params: {},
    result: z.object({
      requests: z.array(
        z.object({
          answeredAt: date,
          method: z.string().describe('unknown: the contract has no method of the name that was asked for.'),
          tenant: z.string().describe('The application.'),
          server: z.string().nullable().describe('null where the request concerned no account.'),
          user: z.string().nullable().describe('As it was given where the request was to open a session.'),
          ms: z.number().describe('Milliseconds from the arrival of the request to its answer.'),
          outcome: z.string().describe('ok, or the kind of the error.'),
          source: z
            .string()
            .nullable()
            .describe('server, validated, cache or coalesced; null where the answer does not tell.'),
        }),
      ),
    }),
  }),
  'request.waiting': adminMethod({
    name: 'request.waiting',
    summary: 'The requests of an account that wait for a connection, the longest waiting first; at most 100 of them.',
    effect: 'local',
    params: {
      tenant: configuredName.describe('The application.'),
      server: configuredName.describe('The IMAP server.'),
      user: loginName,
    },
    result: z.object({
      requests: z.array(
        z.object({
          method: z.string(),
          lane: z
            .enum(['interactive', 'bulk', 'watch'])
            .describe('bulk never takes the last connection; watch has what no other request needs.'),
          waitedMs: z.int(),
        }),
      ),
      total: z.int().describe('How many wait.'),
    }),
    errors: ['NOT_FOUND'],
  }),
};
