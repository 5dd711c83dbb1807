import { z } from 'zod';
import { adminMethod } from '../define.js';
import { configuredName, date } from '../models.js';
import { loginName } from './session.js';

const names = {
  tenant: z.string().describe('The application.'),
  server: z.string(),
  user: z.string(),
};

const tenant = configuredName.optional().describe('Those of this application alone.');

/** Which accounts are asked about. */
const ofAccounts = {
  tenant,
  server: configuredName.optional().describe('Those at this IMAP server alone.'),
  user: loginName.optional().describe('Those of this login name alone.'),
};

const paging = {
  limit: z.int().min(1).max(1000).default(100),
  offset: z.int().min(0).max(10_000_000).default(0),
};

const paged = {
  total: z.int().describe('How many there are, of those that were asked for.'),
  nextOffset: z.int().nullable().describe('Where the next page begins; null after the last.'),
};

export const latency = z.object({ p50: z.number(), p95: z.number(), p99: z.number() });

export const serverState = z
  .enum(['reachable', 'failing', 'backing off', 'paused', 'untried'])
  .describe(
    'reachable: it answered the last login. failing: it did not, and the next request tries it again. backing off: it was not reached several times, so that no login is tried until `retryAfterMs` is over; then one login finds out whether it works again. paused: broker.pause keeps all accounts from it. untried: no login has been tried yet.',
  );

/** The lists of a broker that operators can look at; each is answered by pages. */
export const adminSeeMethods = {
  'server.list': adminMethod({
    name: 'server.list',
    summary: 'The IMAP servers of the configuration, and whether they can be reached.',
    effect: 'local',
    params: {},
    result: z.object({
      servers: z.array(
        z.object({
          name: z.string(),
          state: serverState,
          failures: z.int().describe('Connects that failed, one after the other.'),
          retryAfterMs: z.int().describe('Milliseconds until the next try; 0 unless the broker backs off.'),
          connections: z.int(),
          connectionLimit: z
            .int()
            .describe('Connections that there may be: as configured, or fewer where the server refused more.'),
          learnedLimit: z
            .int()
            .nullable()
            .describe(
              'Connections that there were when the server ended another before its greeting; the limit climbs by a tenth each minute without a refusal. null where the server did not do that, or when that is over.',
            ),
          accounts: z.int().describe('Accounts in use.'),
          waiting: z.int().describe('Requests that wait for a connection.'),
          reduced: z
            .int()
            .describe(
              'Accounts that may have fewer connections than the configuration allows, because the server said so.',
            ),
        }),
      ),
    }),
  }),
  'account.list': adminMethod({
    name: 'account.list',
    summary: 'The accounts in use at this broker, the oldest first unless told otherwise.',
    effect: 'local',
    params: {
      ...ofAccounts,
      sort: z
        .enum(['oldest', 'busy', 'waiting', 'connections', 'sessions', 'watches', 'requests', 'latency'])
        .default('oldest')
        .describe('Which accounts come first; for all but oldest, those with the most; latency: by p95.'),
      ...paging,
    },
    result: z.object({
      accounts: z.array(
        z.object({
          ...names,
          idle: z.int(),
          busy: z.int(),
          watching: z.int().describe('Connections that a watch has, and gives up when they are needed.'),
          connecting: z.int(),
          waiting: z.int().describe('Requests that wait for a connection.'),
          longestWaitMs: z.int().describe('Milliseconds that the first of them has waited; 0 where none does.'),
          budget: z.int().describe('Connections that the account may have at once, as far as the server has told.'),
          paused: z.boolean().describe('Whether broker.pause keeps the account from its connections.'),
          sessions: z.int().describe('Sessions that were used here and have not ended.'),
          watches: z.int().describe('Folders that are watched.'),
          viewBytes: z.int().describe('Memory that is taken by what is known of the mail of the account.'),
          perSecond: z
            .number()
            .describe(
              'Requests of the account in a second: an average in which what is older than half a minute counts little.',
            ),
          latencyMs: latency
            .nullable()
            .describe(
              'Milliseconds from arrival to answer that 50, 95 and 99 % of its last 100 requests did not exceed; null where there was none in the last five minutes.',
            ),
        }),
      ),
      ...paged,
    }),
  }),
  'connection.list': adminMethod({
    name: 'connection.list',
    summary: 'The IMAP connections, by account.',
    effect: 'local',
    params: { ...ofAccounts, ...paging },
    result: z.object({
      connections: z.array(
        z.object({
          id: z.string().describe('As in the log and in explain.'),
          ...names,
          state: z.enum(['idle', 'busy', 'watching']),
          mailbox: z.string().nullable().describe('The folder that the connection has selected.'),
          ageMs: z.int(),
          idleMs: z.int().describe('0 unless the connection is idle.'),
          served: z
            .int()
            .describe('Requests whose work the connection did; work that several requests share counts once.'),
          sentBytes: z.int(),
          receivedBytes: z.int(),
        }),
      ),
      ...paged,
    }),
  }),
  'session.list': adminMethod({
    name: 'session.list',
    summary: 'The sessions that were used at this broker and have not ended, the longest unused first.',
    effect: 'local',
    params: { ...ofAccounts, ...paging },
    result: z.object({
      sessions: z.array(
        z.object({
          id: z.string().describe('The same in every token that renews it. No token can be made of it.'),
          ...names,
          openedAt: date,
          expiresAt: date.describe('When the last of its tokens that was seen here ends.'),
        }),
      ),
      ...paged,
    }),
  }),
  'watch.list': adminMethod({
    name: 'watch.list',
    summary: 'The watches, one for each account.',
    effect: 'local',
    params: { ...ofAccounts, ...paging },
    result: z.object({
      watches: z.array(
        z.object({
          ...names,
          mailboxes: z.array(z.string()),
          sockets: z.int().describe('Sockets that get the events of the watch.'),
          seq: z.int().describe('Number of the last event.'),
          alive: z
            .boolean()
            .describe('false: for a folder the server has not proven within the lag of watch.start that it is there.'),
        }),
      ),
      ...paged,
    }),
  }),
  'socket.list': adminMethod({
    name: 'socket.list',
    summary: 'The WebSockets, the oldest first.',
    effect: 'local',
    params: { tenant, ...paging },
    result: z.object({
      sockets: z.array(
        z.object({
          id: z.string(),
          tenant: names.tenant,
          peer: z.string().describe('Address and port; unix for a Unix socket.'),
          ageMs: z.int(),
          running: z.int().describe('Unanswered requests.'),
          served: z.int().describe('Answered requests.'),
          streams: z.int(),
          bufferedBytes: z.int().describe('Bytes that wait to be sent.'),
          watches: z.int().describe('Folders that the socket watches.'),
        }),
      ),
      ...paged,
    }),
  }),
  'stream.list': adminMethod({
    name: 'stream.list',
    summary: 'The open streams, by socket.',
    effect: 'local',
    params: { tenant, ...paging },
    result: z.object({
      streams: z.array(
        z.object({
          socket: z.string().describe('Id of the socket.'),
          tenant: names.tenant,
          stream: z.int().describe('Id of the stream on that socket.'),
          direction: z.enum(['download', 'upload']),
          method: z.string().describe('Method of the request that the stream belongs to.'),
          bytes: z.int().describe('Bytes that were sent or that came.'),
          ageMs: z.int(),
          stalledMs: z
            .int()
            .describe('Milliseconds that the stream has stood still by now; after too long the stream is aborted.'),
        }),
      ),
      ...paged,
    }),
  }),
};
