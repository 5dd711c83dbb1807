import { z } from 'zod';
import { adminMethod } from '../define.js';
import { configuredName, date } from '../models.js';
import { paused } from './admin-do.js';
import { latency, serverState } from './admin-see.js';
import { loginName } from './session.js';

const figures = z.array(z.number().nullable());

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
          'Milliseconds that the event loop comes too late: 99th percentile of fifteen seconds, the worst of the last minute.',
        ),
      requests: z.object({
        running: z.int().describe('Unanswered requests.'),
        waiting: z
          .int()
          .describe('Those of them that wait for a connection; several that share their work count once.'),
        perSecond: z.number().describe('Answered to applications in a second, over the last minute.'),
        latencyMs: latency
          .nullable()
          .describe(
            'Milliseconds from arrival to answer that 50, 95 and 99 % of the last minute did not exceed, rounded up by 9 % at most; null where there were none. Those turned away with RATE_LIMITED or DRAINING do not count.',
          ),
      }),
      errors: z
        .array(
          z.object({
            kind: z.string(),
            tenant: z.string().describe('The application that got them.'),
            count: z.int().describe('In the last five minutes.'),
            perSecond: z.number().describe('In a second, over the last minute.'),
          }),
        )
        .describe('Errors that applications got, by kind and application, the most frequent first.'),
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
      servers: z.array(z.object({ name: z.string(), state: serverState })),
    }),
  }),
  'broker.history': adminMethod({
    name: 'broker.history',
    summary:
      'How the broker was during the last hour: columns of figures, one for each step, the oldest first. null where there is no figure: of a step without requests, or one in which the process did not run.',
    effect: 'local',
    params: {},
    result: z.object({
      stepMs: z.int().describe('Milliseconds of a step.'),
      endedAt: date
        .nullable()
        .describe('When the last step ended; the one before ended `stepMs` earlier. null before the first has ended.'),
      columns: z.object({
        requestsPerSecond: figures.describe('Answered to applications in a second.'),
        failedPerSecond: figures.describe('Those of them that were answered with an error.'),
        p50Ms: figures.describe('Milliseconds that half of them did not exceed, as in broker.status.'),
        p95Ms: figures,
        p99Ms: figures,
        running: figures.describe('Unanswered requests when the step ended.'),
        waiting: figures.describe('Those of them that waited for a connection.'),
        busy: figures.describe('IMAP connections at work when the step ended.'),
        idle: figures.describe('IMAP connections that were idle.'),
        watching: figures.describe('IMAP connections that watches had.'),
        accounts: figures.describe('Accounts in use.'),
        commandsPerSecond: figures.describe('Commands that IMAP servers answered in a second.'),
        loginsPerSecond: figures.describe('Logins at IMAP servers in a second, those that failed included.'),
        eventLoopLagMs: figures.describe('Milliseconds that the event loop came too late: 99th percentile.'),
        residentBytes: figures.describe('Memory of the process.'),
      }),
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
      server: configuredName,
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
        .regex(/^trace-\d+$/, 'is no id of a trace'),
    },
    result: z.object({ stopped: z.literal(true) }),
    errors: ['NOT_FOUND'],
  }),
};
