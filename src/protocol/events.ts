import { z } from 'zod';
import { protocolLimits } from './limits.js';
import { date, epoch, explanation, meta, statusCounts, streamId, topic, uid } from './models.js';
import { messageSummary } from './rows.js';

const ofTopic = {
  epoch: epoch.describe('As in broker.hello.'),
  topic: topic.describe('The account, as watch.start answered it.'),
};

const ofEvent = {
  ...ofTopic,
  seq: z
    .int()
    .min(1)
    .describe('1, 2, 3 and so on over all folders of the topic; a socket gets those of the folders that it watches.'),
  mailbox: z.string(),
  at: date.describe('When the broker learnt of it.'),
};

const { eventMessages, eventFlags, eventFolders, uidsPerRequest } = protocolLimits;

const names = z.array(z.string()).max(eventFolders);

const watchEvent = z.discriminatedUnion('type', [
  z.object({
    ...ofEvent,
    type: z.literal('new'),
    uidValidity: z.int(),
    messages: z
      .array(messageSummary)
      .max(eventMessages)
      .describe(
        'Messages that arrived, with the `fields` that this socket asked for in watch.start or events.resume; the newest of them.',
      ),
    more: z
      .boolean()
      .optional()
      .describe(
        'true: there are others; list the folder. So it is where rows are too long for one event, and where a resumed socket asks for members that the events which it missed do not have.',
      ),
  }),
  z.object({
    ...ofEvent,
    type: z.literal('changed'),
    uidValidity: z.int(),
    messages: z
      .array(z.object({ uid, flags: z.array(z.string()) }))
      .max(eventFlags)
      .describe('Messages with other flags than before, with all of them.'),
  }),
  z.object({
    ...ofEvent,
    type: z.literal('vanished'),
    uidValidity: z.int(),
    uids: z
      .array(uid)
      .max(uidsPerRequest)
      .describe('Messages that are gone; may name some of which no event has told.'),
  }),
  z.object({
    ...ofEvent,
    type: z.literal('counts'),
    counts: statusCounts,
  }),
  z.object({
    ...ofEvent,
    type: z
      .literal('reset')
      .describe('The folder has another UIDVALIDITY, is gone, or what changed cannot be told: list it again.'),
    uidValidity: z.int().optional().describe('Where it is known.'),
  }),
  z.object({
    ...ofTopic,
    seq: ofEvent.seq,
    at: ofEvent.at,
    type: z
      .literal('folders')
      .describe('Folders of the account came, went or changed; sent where `folders` was asked for.'),
    created: names,
    deleted: names,
    renamed: z
      .array(z.object({ from: z.string(), to: z.string() }))
      .max(eventFolders)
      .describe('By this broker. What others rename is told as deleted and created.'),
    subscribed: names,
    unsubscribed: names.describe('Without those that are deleted.'),
    more: z.literal(true).optional().describe('There are others: list the folders.'),
  }),
]);

/** Notifications, with the side that sends each: text frames without an id, which are not answered. */
export const notifications = {
  'broker.hello': {
    from: 'broker',
    summary: 'The first frame after the upgrade.',
    params: z.object({
      version: z.string().describe('Version of the broker.'),
      epoch: epoch.describe('Another one after each start of the broker.'),
      heartbeatMs: z.int().describe('The broker pings this often and closes with 4408 without a pong.'),
      limits: z.object({
        frameBytes: z.int().describe('Largest frame that the broker takes.'),
        pendingRequests: z.int().describe('Most unanswered requests of one socket; more answer RATE_LIMITED.'),
        streams: z.int().describe('Most open streams of one socket.'),
        defaultTimeoutMs: z.int(),
        streamInitialCreditBytes: z.int(),
        streamPayloadBytes: z.int(),
        streamStallMs: z.int(),
      }),
    }),
  },
  'broker.draining': {
    from: 'broker',
    summary:
      'The broker stops soon, or this socket has come of age: running requests finish, new ones answer DRAINING. Open another socket.',
    params: z.object({ graceMs: z.int().describe('Milliseconds until the socket is closed at the latest.') }),
  },
  'session.expiring': {
    from: 'broker',
    summary:
      'A session that this socket uses, or its OAuth2 access token, ends within five minutes: session.renew or session.refresh now. Sent once.',
    params: z.object({
      server: z.string(),
      user: z.string(),
      what: z.enum(['session', 'accessToken']),
      expiresAt: date,
    }),
  },
  event: {
    from: 'broker',
    summary: 'Something changed in a folder that this socket watches.',
    params: watchEvent,
  },
  'watch.ended': {
    from: 'broker',
    summary:
      "This socket watches nothing of the account any more: the account's last session has ended, by session.close, session.revoke or its age.",
    params: z.object(ofTopic),
  },
  trace: {
    from: 'broker',
    summary:
      'The broker answered a request of a user in this trace. The notification has nothing of what the request or the answer contains.',
    params: z.object({
      trace: z.string().describe('As trace.start answered it.'),
      at: date.describe('When the request was answered.'),
      tenant: z.string().describe('The application.'),
      socket: z.string().describe('Id of the socket that the request came by.'),
      request: z.union([z.string(), z.int()]).describe('Id of the request on that socket.'),
      method: z.string(),
      ms: z.number().describe('Milliseconds from the arrival of the request to its answer.'),
      outcome: z.string().describe('ok, or the kind of the error.'),
      source: meta.shape.source.nullable().describe('As in the `meta` of the answer; null where the answer has none.'),
      explain: explanation
        .nullable()
        .describe('null where the request asked no IMAP server, or began before the trace.'),
      missed: z.int().describe('Requests since the last notification that were not told, because there were too many.'),
    }),
  },
  '$/cancelRequest': {
    from: 'caller',
    summary: 'Cancels a request; it still answers, with CANCELLED unless it was done already.',
    params: z.strictObject({ id: z.union([z.string().max(128), z.int()]) }),
  },
  '$/credit': {
    from: 'both',
    summary: 'The receiver of a stream allows so many more bytes of payload.',
    params: z.strictObject({ stream: streamId, bytes: z.int().min(1).max(1_073_741_824) }),
  },
} as const;

export type SessionExpiring = z.infer<(typeof notifications)['session.expiring']['params']>;
/** What changed in a folder that is watched. */
export type WatchEvent = z.infer<typeof watchEvent>;
/** A request that was answered, of a user who is traced. */
export type TraceEvent = z.infer<(typeof notifications)['trace']['params']>;
