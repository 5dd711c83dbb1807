import { isIPv4, isIPv6 } from 'node:net';
import { z } from 'zod';
import { defaultPoolLimits } from '../pool/pool-limits.js';
import { defaultSocketLimits } from '../server/limits.js';
import { defaultSessionLimits } from '../session/sealed-sessions.js';
import { defaultTenantQuotas } from '../session/tenant.js';
import { defaultViewLimits } from '../view/views.js';
import { cluster, shared } from './schema-cluster.js';
import { bytes, content, count, live, name, port, seconds } from './schema-parts.js';
import { filePath, host, origin, ownPath, tokenHash } from './schema-texts.js';

const KIB = 1024;
const MIB = 1024 * KIB;
const GIB = 1024 * MIB;
/** The kernel's bound for the path of a Unix socket is 108 bytes, with the NUL that ends it. */
const UNIX_PATH_BYTES = 107;

/** Whether an address can be reached from this machine alone. */
export function isLoopback(host: string): boolean {
  if (host === 'localhost' || (isIPv4(host) && host.startsWith('127.'))) return true;
  return isIPv6(host) && new URL(`ws://[${host}]`).hostname === '[::1]';
}

const unixPath = ownPath.refine(
  (path) => Buffer.byteLength(path) <= UNIX_PATH_BYTES,
  `is longer than ${UNIX_PATH_BYTES} bytes`,
);
const unixMode = z.int().min(0).max(0o777);

const listener = z
  .strictObject({
    unix: unixPath.optional().describe('Path of a Unix socket, relative to the configuration file.'),
    mode: unixMode
      .optional()
      .describe('Permissions of the Unix socket, written in octal as `0o660`, which is the default.'),
    systemd: z
      .string()
      .min(1)
      .max(255)
      .optional()
      .describe('Name of a socket that systemd has opened and passes: `FileDescriptorName=` of its socket unit.'),
    host: host
      .optional()
      .describe('Address for TCP. Without TLS only a loopback address: 127.0.0.1, ::1 or localhost.'),
    port: port.optional().describe('TCP port; 0 takes a free one, which the log then names.'),
    tls_cert_file: filePath
      .optional()
      .describe('Certificate in PEM, its chain included. Goes with tls_key_file.')
      .meta(content),
    tls_key_file: filePath.optional().describe('Private key of the certificate, in PEM.').meta(content),
    client_ca_file: filePath
      .optional()
      .describe('Authority of client certificates, in PEM: a client that shows one needs no bearer token.')
      .meta(content),
  })
  .superRefine((entry, { addIssue }) => {
    const { unix, mode, systemd, host, port: tcpPort } = entry;
    const { tls_cert_file: cert, tls_key_file: key, client_ca_file: clientCa } = entry;
    const refuse = (path: string, message: string) => addIssue({ code: 'custom', path: [path], message });
    if (systemd !== undefined) {
      if (unix !== undefined) refuse('unix', 'does not go with systemd: make it another listener');
      if (host !== undefined) refuse('host', 'does not go with systemd: make it another listener');
      if (tcpPort !== undefined) refuse('port', 'does not go with systemd: make it another listener');
    }
    if (unix === undefined) {
      if (systemd === undefined) {
        if (host === undefined) refuse('host', 'is missing: a listener has unix, systemd, or host and port');
        else if (tcpPort === undefined) refuse('port', 'is missing: a listener has unix, systemd, or host and port');
      }
      if (mode !== undefined) refuse('mode', 'applies to Unix sockets only');
      if ((cert === undefined) !== (key === undefined)) {
        refuse(cert === undefined ? 'tls_cert_file' : 'tls_key_file', 'is missing: TLS needs both certificate and key');
      }
      if (clientCa !== undefined && cert === undefined)
        refuse('client_ca_file', 'needs tls_cert_file and tls_key_file');
      if (host !== undefined && cert === undefined && !isLoopback(host)) {
        refuse('host', 'is not a loopback address: other machines need TLS, with tls_cert_file and tls_key_file');
      }
    } else {
      if (host !== undefined) refuse('host', 'does not go with unix: make it another listener');
      if (tcpPort !== undefined) refuse('port', 'does not go with unix: make it another listener');
      if (cert !== undefined) refuse('tls_cert_file', 'does not go with unix');
      if (key !== undefined) refuse('tls_key_file', 'does not go with unix');
      if (clientCa !== undefined) refuse('client_ca_file', 'does not go with unix');
    }
  })
  .describe('An address that web back ends connect to. Give one table for each.');

const server = z
  .strictObject({
    name: name.describe('The name by which requests name the server.'),
    host: host.describe('Host name or IP address.'),
    port: port.min(1).optional().describe('Default: 993 for `tls = "implicit"`, else 143.'),
    tls: z
      .enum(['implicit', 'starttls', 'none'])
      .default('implicit')
      .describe(
        'implicit: TLS from the first byte. starttls: required, never skipped. none: passwords travel in clear.',
      ),
    ca_file: filePath
      .optional()
      .describe('PEM file of the authorities to trust instead of the public ones. Relative to the configuration file.'),
    servername: host.optional().describe('Name that the certificate must carry. Default: host.'),
    compress: z.boolean().default(false).describe('COMPRESS=DEFLATE: costs 250 KiB of memory for each connection.'),
    connect_timeout_seconds: seconds(10_000, 300).describe('For TCP, for TLS and for the greeting, each.'),
    login_timeout_seconds: seconds(30_000, 300).describe('For the login, from the greeting on.'),
    logins_per_second: z.number().min(0.1).max(10_000).default(50).describe('Most logins that begin within a second.'),
    literal_bytes: bytes(64 * MIB, MIB, 2 * GIB - 1).describe('Largest single literal that is read from the server.'),
  })
  .describe('An IMAP server that sessions may be opened on. Give one table for each.')
  .meta(live);

/** SHA-256 of a tenant's tokens, in hex. */
export const tokenHashes = z.array(tokenHash).max(10);

const tenant = z
  .strictObject({
    name: name.describe('Name of the web application, for logs.'),
    token_hashes: tokenHashes
      .default([])
      .describe('SHA-256 of its bearer tokens, in hex. Two may be live while a token is changed.'),
    token_hashes_file: filePath
      .optional()
      .describe(
        'File with such hashes beside or instead of token_hashes, one in a line; a line that begins with # is a comment.',
      ),
    certificate_names: z
      .array(z.string().min(1).max(200))
      .max(10)
      .default([])
      .describe('Common names of client certificates that stand for a token, where a listener has client_ca_file.'),
    servers: z
      .array(name)
      .max(1000)
      .optional()
      .describe('Names of the servers that the application may use. Default: all.'),
    scopes: z
      .array(z.enum(['user', 'admin']))
      .min(1)
      .max(2)
      .default(['user'])
      .describe('user: mail. admin: methods for operators.'),
    sockets: count(defaultTenantQuotas.sockets, 100_000).describe('WebSockets at once.'),
    sessions: count(defaultTenantQuotas.sessions, 1_000_000).describe('Sessions in use at once.'),
    concurrent_requests: count(defaultTenantQuotas.concurrentRequests, 1_000_000).describe(
      'Unanswered requests at once.',
    ),
    streams: count(defaultTenantQuotas.streams, 100_000).describe('Open streams at once.'),
    requests_per_second: count(defaultTenantQuotas.requestsPerSecond, 1_000_000).describe(
      'Requests a second; more answer RATE_LIMITED.',
    ),
  })
  .refine(
    ({ token_hashes: hashes, token_hashes_file: file, certificate_names: names }) => file ?? hashes[0] ?? names[0],
    {
      path: ['token_hashes'],
      message: 'is missing: without it, token_hashes_file or certificate_names the application cannot connect',
    },
  )
  .describe('A web application that may use the broker. Give one table for each.')
  .meta(live);

const pool = z
  .strictObject({
    connections_per_account: count(defaultPoolLimits.connectionsPerAccount, 100).describe('Connections of one user.'),
    connections_per_server: count(defaultPoolLimits.connectionsPerServer, 100_000).describe(
      'Connections to one server.',
    ),
    connections: count(defaultPoolLimits.connections, 100_000).describe('Connections of the whole broker.'),
    queue_per_account: count(defaultPoolLimits.queuePerAccount, 10_000).describe(
      'Requests of one user that may wait for a connection; more answer POOL_EXHAUSTED.',
    ),
    acquire_timeout_seconds: seconds(defaultPoolLimits.acquireTimeoutMs, 600).describe(
      'How long a request may wait for a connection.',
    ),
    idle_seconds: seconds(defaultPoolLimits.idleMs, 86_400).describe('Idle connections are logged out after this.'),
    max_age_seconds: seconds(defaultPoolLimits.maxAgeMs, 604_800).describe(
      'Connections older than this are logged out when they are idle next; each up to a fifth sooner, so that those made at once do not end at once.',
    ),
    logout_seconds: seconds(defaultPoolLimits.logoutMs, 60).describe(
      'A LOGOUT without an answer is given up after this.',
    ),
  })
  .describe('IMAP connections: how many, and how long they live.')
  .meta(live);

const limits = z
  .strictObject({
    sockets: count(defaultSocketLimits.sockets, 100_000).describe('WebSockets at once.'),
    frame_bytes: bytes(defaultSocketLimits.frameBytes, 128 * KIB, 64 * MIB).describe(
      'Largest frame that is taken; below 1.5 MiB a message of 1 MiB can no longer be appended inline.',
    ),
    pending_requests: count(defaultSocketLimits.pendingRequests, 10_000).describe('Unanswered requests of one socket.'),
    streams: count(defaultSocketLimits.streams, 1000).describe('Open streams of one socket.'),
    append_bytes: bytes(50 * MIB, MIB, 2 * GIB - 1).describe('Largest message that message.append takes.'),
    default_timeout_seconds: seconds(defaultSocketLimits.defaultTimeoutMs, 600).describe(
      'Deadline of a request that names none.',
    ),
    heartbeat_seconds: seconds(defaultSocketLimits.heartbeatMs, 600).describe(
      'Time between two pings of a socket; one that has not answered by the next ping is closed.',
    ),
    socket_seconds: seconds(defaultSocketLimits.ageMs, 86_400).describe(
      'Age at which a socket is drained, or up to half of it earlier, so that a proxy in front of several brokers places the next socket anew.',
    ),
    drain_seconds: seconds(20_000, 600).describe('Time that running requests have after SIGTERM.'),
  })
  .describe('Bounds of sockets and requests.')
  .meta(live);

const cache = z
  .strictObject({
    bytes: bytes(defaultViewLimits.bytes, MIB, 64 * GIB).describe(
      'Memory that index rows, flags, opened messages and answers of all users may take together; what was not used for the longest goes first.',
    ),
    body_bytes: bytes(defaultViewLimits.bodyBytes, 0, 64 * MIB).describe(
      'Largest opened message, as message.get answers it, and largest answer of other methods that is kept, but for the list of folders, which may be 16 times as large; with 0 none is kept.',
    ),
  })
  .describe('Mail that is kept in memory.')
  .meta(live);

const session = z
  .strictObject({
    ttl_seconds: seconds(defaultSessionLimits.ttlMs, 31_536_000)
      .describe('A token ends after so long; session.renew answers another.')
      .meta(live),
    max_age_seconds: seconds(defaultSessionLimits.maxAgeMs, 31_536_000)
      .describe('A session ends after so long, however often it is renewed.')
      .meta(live),
    state_dir: ownPath
      .optional()
      .describe(
        'Folder where keys and the list of ended sessions are kept, so that sessions outlive a restart. The broker creates the folder if its parent exists. Brokers on one host may have one folder, and know of each other’s ended sessions then. Without state_dir sessions end with the process.',
      ),
    key_file: filePath
      .optional()
      .describe(
        'Keys that seal tokens, readable by the broker alone. Default: session.keys in state_dir, made at the first start.',
      ),
  })
  .describe('Sessions.');

const admin = z
  .strictObject({
    socket: unixPath
      .optional()
      .describe(
        'Path of the Unix socket for operators, relative to the configuration file. Its clients need no token.',
      ),
    mode: unixMode.optional().describe('Permissions of the socket, written in octal as `0o600`, which is the default.'),
  })
  .describe('Where `imap-broker accounts` and the other commands for operators come in.');

const { unix, mode, host: address, port: tcpPort, tls_cert_file, tls_key_file } = listener.shape;

const monitor = z
  .strictObject({
    unix,
    mode,
    host: address.describe('Address for TCP, by default 127.0.0.1. Without TLS only a loopback address.'),
    port: tcpPort.describe('TCP port, by default 7144; 0 takes a free one, which the log then names.'),
    tls_cert_file,
    tls_key_file,
  })
  .transform((entry) => (entry.unix === undefined ? { host: '127.0.0.1', port: 7144, ...entry } : entry))
  .pipe(listener)
  .optional()
  .describe(
    'Where monitoring asks for `/metrics`, `/healthz`, `/readyz` and `/upstreamz`, and where operators have a page, at `/`. Without this table, even an empty one, there is neither.',
  );

const log = z
  .strictObject({
    level: z
      .enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'])
      .default('info')
      .describe('The least severe messages that are written, as JSON lines, to standard output.'),
  })
  .describe('The log.')
  .meta(live);

const tables = z.strictObject({
  allowed_origins: z
    .array(origin)
    .max(100)
    .default([])
    .describe('`Origin` headers of web pages that may open a socket. Back ends send none, so mostly empty.')
    .meta(live),
  allowed_hosts: z
    .array(host)
    .max(100)
    .default([])
    .describe('`Host` headers beside localhost and IP addresses that are taken without TLS, as behind a proxy.')
    .meta(live),
  listener: z
    .array(listener)
    .min(1)
    .max(20)
    .superRefine(distinct('unix', ({ unix: path }) => path))
    .superRefine(distinct('systemd', ({ systemd: passed }) => passed))
    .superRefine(distinct('port', tcpPlace)),
  server: z
    .array(server)
    .min(1)
    .max(1000)
    .superRefine(distinct('name', (entry) => entry.name)),
  tenant: z
    .array(tenant)
    .min(1)
    .max(1000)
    .superRefine(distinct('name', (entry) => entry.name)),
  pool: pool.prefault({}),
  cluster: cluster.prefault({}),
  shared,
  limits: limits.prefault({}),
  cache: cache.prefault({}),
  session: session.prefault({}),
  admin: admin.prefault({}),
  monitor,
  log: log.prefault({}),
});

/** The configuration file, key by key. */
export const configSchema = tables.superRefine(apart);

/** The configuration file with all defaults filled in. */
export type ConfigFile = z.output<typeof configSchema>;

/** The port of a server, which follows from `tls` where it is not given. */
export function portOf({ port: given, tls }: ConfigFile['server'][number]): number {
  return given ?? (tls === 'implicit' ? 993 : 143);
}

/** Refuses entries of which two have the same value. @param key where that is told */
function distinct<Entry>(key: string, text: (entry: Entry) => string | undefined) {
  return (entries: readonly Entry[], { addIssue }: z.core.$RefinementCtx): void => {
    const seen = new Set<string>();
    for (const [index, entry] of entries.entries()) {
      const value = text(entry);
      if (value === undefined) continue;
      if (seen.has(value)) addIssue({ code: 'custom', path: [index, key], message: `"${value}" is there twice` });
      seen.add(value);
    }
  };
}

type Place = { [Key in 'host' | 'unix']?: string | undefined } & { port?: number | undefined };

/** Where an entry listens by TCP; `undefined` for a free port and for other sockets. */
function tcpPlace({ host: address, port: number }: Place): string | undefined {
  return address !== undefined && number ? `${address}:${number}` : undefined;
}

/** Refuses what operators or monitoring would have in common with web applications, and a token of two tenants. */
function apart(
  { listener: listeners, admin: operators, monitor: watched, tenant: tenants }: z.output<typeof tables>,
  { addIssue }: z.core.$RefinementCtx,
): void {
  const refuse = (path: (string | number)[], message: string) => addIssue({ code: 'custom', path, message });
  const ofListener = 'is also the address of a [[listener]]';
  const isUsed = ({ unix: path, ...tcp }: Place) =>
    listeners.some((one) => (path === undefined ? tcpPlace(tcp) : path) === (one.unix ?? tcpPlace(one) ?? null));
  if (operators.socket !== undefined && isUsed({ unix: operators.socket })) refuse(['admin', 'socket'], ofListener);
  if (watched && isUsed(watched)) refuse(['monitor', watched.unix === undefined ? 'port' : 'unix'], ofListener);
  const owners = new Map<string, string>();
  for (const [index, { name: owner, token_hashes: hashes }] of tenants.entries()) {
    for (const hash of hashes.map((one) => one.toLowerCase())) {
      const other = owners.get(hash);
      const message = `has a hash that tenant "${other}" has too: a token belongs to one tenant`;
      if (other !== undefined && other !== owner) refuse(['tenant', index, 'token_hashes'], message);
      owners.set(hash, owner);
    }
  }
}
