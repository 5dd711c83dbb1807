import { z } from 'zod';
import { adminMethod } from '../define.js';
import { configuredName, date } from '../models.js';
import { paused } from './admin-do.js';
import { loginName } from './session.js';

/** The broker as a whole, and one user's requests as they are answered. */
export const adminBrokerMethods = {
  'broker.status': adminMethod({
    name: 'broker.status',
    summary: 'How the broker is: its load, its caps and how near they are, and the errors of the last minutes.',
    effect: 'local',
    params: {},
    result: z.object({
      name: z.string().describe('What operators call this broker: `cluster.name`, else the name of its host.'),
      version: z.string(),
      epoch: z.string(),
      startedAt: date,
      uptimeMs: z.int(),
      state: z.enum(['running', 'draining']),
      paused,
      pid: z.int(),
      node: z.string().describe('Version of Node.js.'),
      residentBytes: z.int().describe('Memory of the process.'),
      eventLoopLagMs: z
        .number()
        .describe(
          'Milliseconds that the event loop comes too late: 99th percentile of ten seconds, the worst of the last minute.',
        ),
      requests: z.object({
        running: z.int().describe('Unanswered requests.'),
        waiting: z
          .int()
          .describe('Those of them that wait for a connection; several that share their work count once.'),
        perSecond: z.number().describe('Answered to applications in a second, over the last minute.'),
        latencyMs: z
          .object({ p50: z.number(), p95: z.number(), p99: z.number() })
          .nullable()
          .describe(
            'Milliseconds from arrival to answer that 50, 95 and 99 % of the last minute did not exceed, rounded up by 9 % at most; null where there were none. Those turned away with RATE_LIMITED or DRAINING do not count.',
          ),
      }),
      errors: z
        .array(z.object({ kind: z.string(), count: z.int() }))
        .describe('Of the last five minutes, the most frequent first.'),
      shared: z
        .enum(['up', 'down'])
        .nullable()
        .describe('Whether the store that several brokers share can be reached; null where there is no `[shared]`.'),
      caps: z.array(
        z.object({
          name: z.enum(['sockets', 'connections', 'sessions', 'accounts', 'view bytes', 'streams', 'watches']),
          used: z.int(),
          limit: z.int().nullable().describe('null: there is no limit for the broker as a whole.'),
        }),
      ),
      servers: z.array(z.object({ name: z.string(), state: z.enum(['closed', 'open', 'trying']) })),
    }),
  }),
  'config.get': adminMethod({
    name: 'config.get',
    summary: 'The configuration that holds, key by key, and where each value comes from. Secrets are not in it.',
    effect: 'local',
    params: {},
    result: z.object({
      settings: z.array(
        z.object({
          key: z.string().describe('As in the configuration file.'),
          value: z
            .union([z.string(), z.number(), z.boolean(), z.array(z.string())])
            .describe('Of token_hashes only how many there are.'),
          source: z
            .enum(['default', 'file', 'environment', 'flag', 'operator'])
            .describe('operator: log.level set it, until a reload or for a while.'),
        }),
      ),
    }),
  }),
  'trace.start': adminMethod({
    name: 'trace.start',
    summary:
      'Has this socket told of each answered request of a user, by `trace`, until trace.stop or the end of the socket.',
    effect: 'local',
    params: {
      tenant: configuredName.optional().describe('Those of this application alone.'),
      server: configuredName.describe('The IMAP server.'),
      user: loginName,
    },
    result: z.object({ trace: z.string().describe('Id of the trace.') }),
    errors: ['NOT_FOUND'],
  }),
  'trace.stop': adminMethod({
    name: 'trace.stop',
    summary: 'Ends a trace of this socket.',
    effect: 'local',
    params: {
      trace: z
        .string()
        .max(100)
        .regex(/^trace-\d+$/, 'is no id of a trace')
        .describe('As trace.start answered it.'),
    },
    result: z.object({ stopped: z.literal(true) }),
    errors: ['NOT_FOUND'],
  }),
};
