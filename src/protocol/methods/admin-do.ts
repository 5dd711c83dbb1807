import { z } from 'zod';
import { adminMethod } from '../define.js';
import { configuredName } from '../models.js';
import { everywhere, lasts, loginName } from './session.js';

const tenant = configuredName.describe('Name of the application.');
const server = configuredName.describe('Name of a server in the configuration.');
const user = loginName.describe('Login name.');

/** Which accounts are meant. */
const accountNames = {
  tenant: tenant.optional().describe('Name of an application; without it those of all.'),
  server: server.optional().describe('Name of a server in the configuration; without it those on all.'),
  user: loginName.optional().describe('Login name; without it those of all.'),
};
const id = z
  .string()
  .max(100)
  .regex(/^[\w-]+$/, 'an id has letters, digits, - and _');
export const paused = z.array(z.object(accountNames)).describe('What is paused now; `{}` is everything.');

const left = {
  draining: z.boolean(),
  requests: z.int().describe('Unanswered requests of applications.'),
  streams: z.int().describe('Open streams of applications.'),
  sockets: z.int().describe('WebSockets of applications.'),
  connections: z.int().describe('Connections that are not logged out yet.'),
  remainingMs: z.int().nullable().describe('Milliseconds after which what is left is cancelled; null unless draining.'),
};

/** What operators do to the broker and to what is in it. */
export const adminDoMethods = {
  'broker.drain': adminMethod({
    name: 'broker.drain',
    summary:
      'Begins to stop the broker: applications get DRAINING for new requests, what runs may finish, all connections are logged out. Methods for operators are answered until the end.',
    effect: 'write',
    params: {
      graceMs: z
        .int()
        .min(0)
        .max(600_000)
        .optional()
        .describe('Milliseconds that running requests may take; by default `drain_seconds` of the configuration.'),
    },
    result: z.object(left),
  }),
  'broker.remaining': adminMethod({
    name: 'broker.remaining',
    summary: 'What is under way at this broker: what a drain waits for.',
    effect: 'local',
    params: {},
    result: z.object(left),
  }),
  'broker.reload': adminMethod({
    name: 'broker.reload',
    summary:
      'Reads the configuration file again. What may change holds at once, and no request is dropped; a file that cannot be used changes nothing.',
    effect: 'write',
    params: {},
    result: z.object({
      changed: z.array(z.string()).describe('Keys that are different now.'),
      restart: z.array(z.string()).describe('Keys whose difference holds after a restart alone.'),
    }),
    errors: ['INVALID_CONFIG'],
  }),
  'log.level': adminMethod({
    name: 'log.level',
    summary: 'Sets the least severe messages that are logged, until the configuration is read again or for a while.',
    effect: 'local',
    params: {
      level: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']),
      forMs: z
        .int()
        .min(1)
        .max(86_400_000)
        .optional()
        .describe('Milliseconds after which the level is as configured again.'),
    },
    result: z.object({ level: z.string(), before: z.string() }),
  }),
  'keys.rotate': adminMethod({
    name: 'keys.rotate',
    summary: 'Seals new session tokens with a new key; the last three keys still open tokens.',
    effect: 'write',
    params: {},
    result: z.object({
      id: z.string().describe('Id of the new key.'),
      keys: z.int().describe('Keys that open tokens.'),
    }),
    errors: ['FORBIDDEN'],
  }),
  'server.probe': adminMethod({
    name: 'server.probe',
    summary:
      'Connects to an IMAP server step by step, also while the broker backs off from it, and says at which step that fails.',
    effect: 'read',
    params: {
      server,
      user: loginName.optional().describe('Login name; without it there is no login.'),
      password: z.string().max(1000).optional().describe('Goes with user.'),
    },
    result: z.object({
      steps: z.array(
        z.object({
          step: z.enum(['dns', 'connect', 'tls', 'greeting', 'capabilities', 'login']),
          ok: z.boolean(),
          ms: z.number(),
          detail: z.string().describe('What was found, or why it failed.'),
        }),
      ),
    }),
    errors: ['NOT_FOUND', 'POOL_EXHAUSTED'],
  }),
  'broker.pause': adminMethod({
    name: 'broker.pause',
    summary:
      'Gives accounts no connections until broker.resume: requests wait, as long as they may wait for a connection. Idle connections are logged out now, the others after their current work.',
    effect: 'local',
    params: accountNames,
    result: z.object({
      accounts: z.int().describe('Accounts in use that the pause concerns.'),
      connections: z
        .int()
        .describe('Connections that still work: the answer waits for them, but no longer than 10 seconds.'),
      paused,
    }),
    errors: ['NOT_FOUND'],
  }),
  'broker.resume': adminMethod({
    name: 'broker.resume',
    summary: 'Ends what broker.pause began, for what is named and for parts of it.',
    effect: 'local',
    params: accountNames,
    result: z.object({ resumed: z.int().describe('Pauses that were ended.'), paused }),
    errors: ['NOT_FOUND'],
  }),
  'pool.reconnect': adminMethod({
    name: 'pool.reconnect',
    summary:
      'Replaces connections: idle ones are logged out now, the others after their current work. No request is disturbed.',
    effect: 'local',
    params: accountNames,
    result: z.object({ accounts: z.int(), connections: z.int().describe('Connections that are replaced.') }),
    errors: ['NOT_FOUND'],
  }),
  'account.kick': adminMethod({
    name: 'account.kick',
    summary:
      'Ends the connections of an account at once; requests that use or wait for them answer CANCELLED. Its sessions go on: to end those there is session.revoke.',
    effect: 'local',
    params: { tenant, server, user },
    result: z.object({ connections: z.int(), requests: z.int().describe('Requests that were cancelled.') }),
    errors: ['NOT_FOUND'],
  }),
  'socket.kick': adminMethod({
    name: 'socket.kick',
    summary: 'Closes a WebSocket; its requests are cancelled, but for writes with an idempotencyKey.',
    effect: 'local',
    params: { socket: id.describe('Id of the socket, as socket.list tells it.') },
    result: z.object({ tenant: z.string() }),
    errors: ['NOT_FOUND'],
  }),
  'session.kick': adminMethod({
    name: 'session.kick',
    summary: 'Ends one session in all of its tokens, as session.close does.',
    effect: 'local',
    params: { id: id.describe('Id of the session, as session.list tells it; not the token.') },
    result: z.object({ tenant: z.string(), server: z.string(), user: z.string(), lasts, everywhere }),
    errors: ['NOT_FOUND'],
  }),
  'session.revoke': adminMethod({
    name: 'session.revoke',
    summary: 'Ends all sessions of an application, or of one of its users, that were opened until now.',
    effect: 'local',
    params: {
      tenant,
      user: loginName.optional().describe('Login name; without it all users of the application.'),
    },
    result: z.object({
      accounts: z.int().describe('Accounts that were in use at this broker and are logged out now.'),
      lasts,
      everywhere,
    }),
    errors: ['NOT_FOUND'],
  }),
};
