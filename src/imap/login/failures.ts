import { BrokerError, type ImapReply } from '../../protocol/errors.js';
import { DEFAULT_RETRY_MS } from '../wire/errors.js';
import { LoginError, type LoginStage } from './login-error.js';
import { type LoginRefusal, refusalOf, saysAddressFull } from './refusals.js';
import type { Credentials } from './server-options.js';

/** What imapflow attaches to the errors that it throws; each member may be missing. */
interface ImapFlowFailure {
  code?: string;
  message?: string;
  authenticationFailed?: boolean;
  serverResponseCode?: string;
  responseStatus?: string;
  responseText?: string;
  response?: unknown;
  /** Milliseconds that a throttling server asks clients to wait. */
  throttleReset?: number;
  /** The text of the BYE that ended the connection, with {@link byeCodes}. */
  reason?: string;
}

/** imapflow's error codes for a value that cannot be put into a command; nothing was sent. */
const unsendableCodes = new Set([
  'InvalidStringValue',
  'InvalidTokenValue',
  'InvalidTextValue',
  'InvalidSequenceSet',
  'InvalidSearchQuery',
  'InvalidMessageContent',
]);
/** Longest pause in milliseconds that a server may ask for: some servers send numbers beyond any timer. */
const MOST_RETRY_MS = 3_600_000;
const byeCodes = /^(NoConnection|ClosedAfterConnect)/;
/** Error codes, of imapflow and of Node, for a connection that the other side ended. */
const endedCodes = /^(ClosedAfterConnect.*|ECONNRESET|EPIPE)$/;

/** The server's response to a failed command; undefined where no response came. */
export function replyOf(failure: unknown): ImapReply | undefined {
  const { responseStatus, responseText, serverResponseCode, response } = detailsOf(failure);
  if (responseStatus !== 'NO' && responseStatus !== 'BAD' && responseStatus !== 'BYE') return undefined;
  const text = responseText ?? (typeof response === 'string' ? response : '');
  return { status: responseStatus, code: serverResponseCode, text };
}

/** Whether the server throttles the client instead of refusing the command. */
function isThrottleError(failure: unknown): boolean {
  return detailsOf(failure).code === 'ETHROTTLE';
}

/** How far a connection came before it failed. */
export interface Progress {
  /** Whether the server has sent its greeting. */
  greeted: boolean;
  /** Whether only the login was left to do. */
  secured: boolean;
}

/**
 * The error of a connect or login that failed. Nothing was executed.
 * @param progress default: up to the login
 */
export function connectError(
  failure: unknown,
  server: string,
  credentials?: Credentials,
  progress: Progress = { greeted: true, secured: true },
): BrokerError {
  if (failure instanceof BrokerError) return failure;
  const { authenticationFailed, code = '', message, throttleReset } = detailsOf(failure);
  if (unsendableCodes.has(code)) {
    const text = message ?? 'The credentials cannot be sent to the IMAP server.';
    return new BrokerError('INVALID_PARAMS', text, { cause: failure });
  }
  const imap = replyOf(failure) ?? byeOf(failure);
  const retryAfterMs = Math.min(throttleReset ?? DEFAULT_RETRY_MS, MOST_RETRY_MS);
  const options = { imap, retryAfterMs, cause: failure };
  const stage = stageOf(progress, code, imap);
  if (stage !== 'login' || (!imap && !isThrottleError(failure))) {
    const why = imap?.text || (stage === 'full' ? 'it ended the connection before its greeting' : code || message);
    const text = `No connection to the IMAP server "${server}": ${why || 'no answer'}`;
    return new LoginError('UPSTREAM_UNAVAILABLE', text, { ...options, stage });
  }
  const refusal = isThrottleError(failure) || !imap ? 'throttled' : refusalOf(imap);
  // imapflow sets `authenticationFailed` only for a tagged NO or BAD.
  if (refusal === 'credentials' && authenticationFailed) {
    const refused = { imap, cause: failure, stage, refusal };
    if (credentials && 'accessToken' in credentials) {
      const text = 'The IMAP server refused the access token: it expired or was revoked.';
      return new LoginError('IMAP_TOKEN_EXPIRED', text, refused);
    }
    return new LoginError('IMAP_AUTH_FAILED', 'The IMAP server refused the credentials.', refused);
  }
  const text = `The IMAP server "${server}" ${meanings[refusal]}: ${imap?.text || message || code}`;
  return new LoginError('UPSTREAM_UNAVAILABLE', text, { ...options, stage, refusal });
}

/** What a refusal of each class means, for error messages. */
const meanings: Record<LoginRefusal, string> = {
  credentials: 'refused the login',
  connections: 'lets this user have no more connections',
  throttled: 'takes no login of this user for a while',
  account: 'cannot open the account of this user',
  server: 'cannot take the login',
};

function stageOf({ greeted, secured }: Progress, code: string, imap: ImapReply | undefined): LoginStage {
  if (greeted) return secured ? 'login' : 'connect';
  const full = imap ? saysAddressFull(imap.text) : endedCodes.test(code);
  return full ? 'full' : 'connect';
}

function byeOf(failure: unknown): ImapReply | undefined {
  const reply = replyOf(failure);
  if (reply?.status === 'BYE' && reply.text) return reply;
  const { code = '', reason } = detailsOf(failure);
  // Node's errors of TLS have a `reason` as well.
  const text = byeCodes.test(code) ? reason : undefined;
  return text === undefined ? undefined : { status: 'BYE', text };
}

function detailsOf(failure: unknown): ImapFlowFailure {
  return (failure ?? {}) as ImapFlowFailure;
}
