import type { OnReadOpts } from 'node:net';
import type { ImapFlowOptions } from 'imapflow';
import type { Credentials, ServerOptions } from './server-options.js';

/** What imapflow tells in its log alone; all of it may be missing. */
export interface FlowLogEntry {
  err?: unknown;
  /** Of a line that could not be parsed. */
  payloadBytes?: number;
}

/** Who hears what imapflow would write into its log. */
export interface FlowListeners {
  warn(entry: FlowLogEntry): void;
  error(entry: FlowLogEntry): void;
}

/**
 * The longest that a timer can be set to. imapflow would end a connection that is silent for five minutes, without
 * LOGOUT; here idle connections are the pool's to end, and every job has a deadline.
 */
const NEVER_MS = 2 ** 31 - 1;

/** imapflow's options for a connection whose holder has it alone and ends it himself. */
export function flowOptions(
  id: string,
  server: ServerOptions,
  credentials: Credentials,
  listeners: FlowListeners,
  onread?: OnReadOpts,
): ImapFlowOptions {
  const quiet = () => {};
  // Why a command that it answers with `false` was refused, imapflow tells nowhere else.
  const logger = {
    debug: quiet,
    info: quiet,
    trace: quiet,
    warn: (entry: FlowLogEntry) => listeners.warn(entry ?? {}),
    error: (entry: FlowLogEntry) => listeners.error(entry ?? {}),
    // Else it would put every command and response together once more, for nobody.
    isLevelEnabled: (level: string) => level === 'warn' || level === 'error',
  };
  const secret = 'password' in credentials ? { pass: credentials.password } : { accessToken: credentials.accessToken };
  // imapflow hands on what is in `tls` to the socket, of whatever kind; what STARTTLS or COMPRESS wraps has no use for it.
  const reading = server.tls === 'starttls' || server.compress ? {} : { onread };
  return {
    id,
    host: server.host,
    port: server.port,
    secure: server.tls === 'implicit',
    // `true` requires it; left out it would be used where offered, and whoever is in between need only not offer it.
    doSTARTTLS: server.tls === 'starttls',
    ...(server.servername === undefined ? {} : { servername: server.servername }),
    tls: { minVersion: 'TLSv1.2', rejectUnauthorized: true, secureContext: server.secureContext, ...reading },
    auth: { user: credentials.user, ...secret },
    disableCompression: !server.compress,
    disableAutoIdle: true,
    qresync: true,
    connectionTimeout: server.connectTimeoutMs,
    greetingTimeout: server.connectTimeoutMs,
    socketTimeout: NEVER_MS,
    maxLiteralSize: server.maxLiteralBytes,
    maxResponseSize: server.maxLiteralBytes * 2,
    clientInfo: {
      name: 'imap-broker',
      ...(credentials.clientIp === undefined ? {} : { 'x-originating-ip': credentials.clientIp }),
    },
    logger,
  };
}
