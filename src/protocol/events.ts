import { z } from 'zod';
import { date, streamId } from './models.js';

/** Notifications, with who sends them. Text frames without an id; nobody answers them. */
export const notifications = {
  'broker.hello': {
    from: 'broker',
    summary: 'The first frame after the upgrade.',
    params: z.object({
      version: z.string().describe('Version of the broker.'),
      epoch: z.string().describe('Another one after each start of the broker.'),
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
    summary: 'The broker stops soon: running requests finish, new ones answer DRAINING. Connect again elsewhere.',
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

export type NotificationName = keyof typeof notifications;
export type SessionExpiring = z.infer<(typeof notifications)['session.expiring']['params']>;
export type Hello = z.infer<(typeof notifications)['broker.hello']['params']>;

/** The payload of an ABORT frame: why, as UTF-8 JSON. */
export const abortReason = z.object({ kind: z.string(), message: z.string() });
