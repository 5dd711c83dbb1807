import type { ImapFlowOptions, ImapTransport } from 'imapflow';
import { version } from '../../runtime/version.js';
import { wireLimits } from '../wire/limits.js';
import type { Credentials, ServerOptions } from './server-options.js';

/** Called for warnings that imapflow only logs. */
export type OnWarning = (failure: unknown) => void;

const quiet = () => {};

/** imapflow's options for a login only: no extension is enabled, the broker takes the connection right after it. */
export function loginOptions(
  id: string,
  server: ServerOptions,
  credentials: Credentials,
  transport: ImapTransport,
  onWarning: OnWarning,
): ImapFlowOptions {
  const secret = 'password' in credentials ? { pass: credentials.password } : { accessToken: credentials.accessToken };
  const { clientIp } = credentials;
  return {
    id,
    host: server.host,
    port: server.port,
    secure: server.tls === 'implicit',
    // `true` requires STARTTLS; otherwise an attacker need only remove STARTTLS from the capabilities.
    doSTARTTLS: server.tls === 'starttls',
    ...(server.servername === undefined ? {} : { servername: server.servername }),
    auth: { user: credentials.user, ...secret },
    transport,
    disableCompression: true,
    disableAutoEnable: true,
    disableIMAP4rev2: true,
    disableAutoIdle: true,
    connectionTimeout: server.connectTimeoutMs,
    greetingTimeout: server.connectTimeoutMs,
    maxLineLength: wireLimits.login.responseBytes,
    maxLiteralSize: wireLimits.login.responseBytes,
    maxResponseSize: wireLimits.login.responseBytes * 2,
    maxResponseTokens: wireLimits.tokens,
    clientInfo: {
      name: 'imap-broker',
      version,
      vendor: false,
      'support-url': false,
      ...(clientIp === undefined ? {} : { 'x-originating-ip': clientIp }),
    },
    logger: {
      debug: quiet,
      info: quiet,
      trace: quiet,
      error: quiet,
      // imapflow waits for minutes when a server throttles logins, and until then reports that only here.
      warn: (entry: { err?: unknown } | undefined) => onWarning(entry?.err),
    },
  };
}
