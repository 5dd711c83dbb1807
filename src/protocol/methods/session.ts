import { z } from 'zod';
import { sessionMethod, socketMethod } from '../define.js';
import { date } from '../models.js';

const namespaceEntry = z.object({
  prefix: z.string().describe('Begins the names of all folders in the namespace, with the delimiter; often empty.'),
  delimiter: z.string().nullable(),
});

// SASL joins credentials with NUL (PLAIN, RFC 4616) or U+0001 (OAUTHBEARER, RFC 7628), which would forge fields inside.
export const loginName = z
  .string()
  .min(1)
  .max(320)
  .regex(/^\P{Cc}+$/u, 'must have no control characters')
  .describe('Login name.');
const password = z
  .string()
  .min(1)
  .max(4096)
  .regex(/^[^\0]+$/, 'must have no NUL')
  .describe('Password of the user at the IMAP server.');
const accessToken = z
  .string()
  .min(1)
  .max(16_384)
  .regex(/^[!-~]+$/, 'must be visible ASCII characters')
  .describe('OAuth2 access token.');

const tokenAuth = z.strictObject({
  accessToken,
  expiresAt: date.optional().describe('When the access token ends, if that is known.'),
});

export const lasts = z
  .boolean()
  .describe(
    'Whether the end also holds after a restart; at this broker it holds at once. False while the broker cannot write its list of ended sessions, because the disk is full for instance, which it retries; and where the broker has a `key_file` and no `state_dir`, so no such list.',
  );

export const everywhere = z
  .boolean()
  .nullable()
  .describe(
    'Whether all brokers that have the same store know of the end, within two seconds. False while the store cannot be reached: it is told later. null where the broker has no `[shared]`.',
  );

/** What the server can do, in the broker's words; methods work without most of these too, only at more cost. */
const capabilities = z.object({
  move: z.boolean().describe('MOVE (RFC 6851)'),
  uidPlus: z.boolean().describe('UIDPLUS (RFC 4315); without it message.delete is refused with IMAP_NO.'),
  sort: z.boolean().describe('SORT (RFC 5256)'),
  thread: z.array(z.string()).describe('THREAD algorithms (RFC 5256)'),
  listStatus: z.boolean().describe('LIST-STATUS (RFC 5819)'),
  specialUse: z.boolean().describe('SPECIAL-USE (RFC 6154)'),
  condstore: z.boolean().describe('CONDSTORE (RFC 7162)'),
  qresync: z.boolean().describe('QRESYNC (RFC 7162)'),
  idle: z.boolean().describe('IDLE (RFC 2177)'),
  notify: z.boolean().describe('NOTIFY (RFC 5465)'),
  preview: z.boolean().describe('PREVIEW (RFC 8970)'),
  quota: z.boolean().describe('QUOTA (RFC 9208)'),
  esearch: z.boolean().describe('ESEARCH (RFC 4731)'),
  statusSize: z.boolean().describe('STATUS=SIZE (RFC 8438)'),
  appendLimit: z.int().nullable().describe('APPENDLIMIT in bytes (RFC 7889), null where the server states none.'),
});
export type Capabilities = z.infer<typeof capabilities>;

const info = {
  server: z.string(),
  user: z.string(),
  software: z
    .record(z.string(), z.string())
    .nullable()
    .describe(
      'What the IMAP server calls itself (ID, RFC 2971): name, version, vendor, support-url and such; at most 30 members, each cut at 200 characters. null where it does not tell.',
    ),
  capabilities,
  offered: z
    .array(z.string())
    .describe(
      'All capabilities of the IMAP server after the login, in its own words and order; at most 250. capabilities says what the broker makes of them.',
    ),
  namespace: z.object({
    personal: z.array(namespaceEntry),
    other: z.array(namespaceEntry),
    shared: z.array(namespaceEntry),
  }),
  limits: z.object({
    connections: z
      .int()
      .describe('Most IMAP connections that this account may have at once, as far as the server has told.'),
    queue: z.int().describe('Most requests that may wait for a connection.'),
    appendBytes: z.int().describe('Largest message that message.append takes, in bytes.'),
  }),
  expiresAt: date.describe('When the token ends; before that, session.renew answers another token.'),
  endsAt: date.describe('When the session ends however often it is renewed.'),
};

export const sessionMethods = {
  'session.open': socketMethod({
    name: 'session.open',
    summary: 'Proves credentials by a login at the IMAP server and answers a session token.',
    effect: 'read',
    params: {
      server: z.string().min(1).max(200).describe('Name of a server in the configuration; never a host.'),
      user: loginName,
      auth: z.union([z.strictObject({ password }), tokenAuth]).describe('A password, or an OAuth2 access token.'),
      clientIp: z
        .union([z.ipv4(), z.ipv6()])
        .optional()
        .describe(
          "Address of the user's browser, so that the IMAP server counts wrong passwords where they come from.",
        ),
    },
    result: z.object({
      session: z.string().describe('Token; keep it secret, in the web session for instance.'),
      ...info,
    }),
    errors: [
      'SERVER_NOT_ALLOWED',
      'IMAP_AUTH_FAILED',
      'IMAP_TOKEN_EXPIRED',
      'UPSTREAM_UNAVAILABLE',
      'POOL_EXHAUSTED',
      'CONNECTION_LOST',
    ],
  }),
  'session.info': sessionMethod({
    name: 'session.info',
    summary: 'Answers what session.open answered, for a token.',
    effect: 'read',
    params: {},
    result: z.object(info),
  }),
  'session.refresh': sessionMethod({
    name: 'session.refresh',
    summary: 'Proves a new OAuth2 access token and answers a token for the same session with it. Connections stay.',
    effect: 'read',
    params: { auth: tokenAuth.describe('The new access token.') },
    result: z.object({ session: z.string(), expiresAt: info.expiresAt, endsAt: info.endsAt }),
    errors: ['INVALID_PARAMS'],
  }),
  'session.renew': sessionMethod({
    name: 'session.renew',
    summary: 'Answers another token for the same session, with a later end. The old one goes on until its own.',
    effect: 'local',
    params: {},
    result: z.object({ session: z.string(), expiresAt: info.expiresAt, endsAt: info.endsAt }),
  }),
  'session.close': sessionMethod({
    name: 'session.close',
    summary: "Ends the session, in all of its tokens; with an account's last session its connections are logged out.",
    effect: 'local',
    params: {},
    result: z.object({ closed: z.literal(true), lasts, everywhere }),
  }),
};
