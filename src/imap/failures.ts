import { BrokerError, type ImapReply } from '../protocol/errors.js';
import { LoginError, type LoginStage } from './login/login-error.js';
import { type LoginRefusal, refusalOf, saysAddressFull } from './login/refusals.js';
import type { Credentials } from './server-options.js';

/** What imapflow attaches to the errors that it throws; all of it may be missing. */
interface ImapFlowFailure {
  code?: string;
  message?: string;
  authenticationFailed?: boolean;
  serverResponseCode?: string;
  responseStatus?: string;
  responseText?: string;
  response?: unknown;
  /** Milliseconds that a throttling server wants to be left alone for. */
  throttleReset?: number;
  /** The text of the BYE that ended the connection, with {@link byeCodes}. */
  reason?: string;
}

const goneCodes = new Set(['NONEXISTENT', 'TRYCREATE']);
const oversizeCodes = new Set([
  'LiteralTooLarge',
  'ResponseTooLarge',
  'LineTooLarge',
  'TooManyTokens',
  'TooManyResponses',
]);
/** A value that cannot be put into a command; nothing was sent. */
const unsendableCodes = new Set([
  'InvalidStringValue',
  'InvalidTokenValue',
  'InvalidTextValue',
  'InvalidSequenceSet',
  'InvalidSearchQuery',
  'InvalidMessageContent',
]);
/** imapflow's words for a connection that ended or that cannot be trusted any more, and Node's for sockets and TLS. */
const brokenCodes =
  /^(NoConnection|EConnectionClosed|StateLogout|UnexpectedTag|InvalidResponse|ResponseProcessingFailed|MAX_IMAP_NESTING_REACHED|ParserError.*|E[A-Z]+|ERR_(SSL|TLS|STREAM)_.*)$/;
const byeCodes = /^(NoConnection|ClosedAfterConnect)/;
/** Errors of a connection that the other side ended, of imapflow and of Node. */
const endedCodes = /^(ClosedAfterConnect.*|ECONNRESET|EPIPE)$/;
const DEFAULT_RETRY_MS = 2_000;

/** The server's words in a failed command, if it spoke at all. */
export function replyOf(failure: unknown): ImapReply | undefined {
  const { responseStatus, responseText, serverResponseCode, response } = detailsOf(failure);
  if (responseStatus !== 'NO' && responseStatus !== 'BAD' && responseStatus !== 'BYE') return undefined;
  const text = responseText ?? (typeof response === 'string' ? response : '');
  return { status: responseStatus, code: serverResponseCode, text };
}

/** Whether the server did not refuse a command but wants to be left alone for a while. */
export function isThrottled(failure: unknown): boolean {
  return detailsOf(failure).code === 'ETHROTTLE';
}

/**
 * The error of a failed command on a logged-in connection. `executed` is `no` where the server refused, else
 * `maybe`; whoever knows that nothing was written lowers it.
 * @param ended that the connection is gone, and the text of the BYE if there was one
 */
export function commandError(failure: unknown, ended?: { bye: string | undefined }): BrokerError {
  if (failure instanceof BrokerError) return failure;
  const { code = '', message } = detailsOf(failure);
  if (isThrottled(failure)) return throttledError(failure, 'The IMAP server throttles this account.');
  if (oversizeCodes.has(code)) {
    return new BrokerError('TOO_LARGE', 'The answer of the IMAP server is over the limit of the broker.', {
      executed: 'maybe',
      cause: failure,
    });
  }
  const imap = replyOf(failure);
  if (imap && imap.status !== 'BYE') return refusal(imap, failure);
  if (unsendableCodes.has(code)) {
    return new BrokerError('INVALID_PARAMS', message ?? 'A value cannot be sent to the IMAP server.', {
      cause: failure,
    });
  }
  if (ended || imap || brokenCodes.test(code)) return lostError(failure, ended?.bye);
  // A defect of ours or of imapflow: as a lost connection it would be repeated, and never be seen.
  return new BrokerError('INTERNAL', 'The broker failed; its log has the cause.', {
    executed: 'maybe',
    cause: failure,
  });
}

/** Whether a connection is as good as before after a command that failed so: the server answered, or heard nothing. */
export function keepsConnection({ kind }: BrokerError): boolean {
  return kind === 'IMAP_NO' || kind === 'NOT_FOUND' || kind === 'INVALID_PARAMS' || kind === 'UPSTREAM_UNAVAILABLE';
}

function refusal(imap: ImapReply, cause: unknown): BrokerError {
  if (imap.code && goneCodes.has(imap.code.toUpperCase())) {
    return new BrokerError('NOT_FOUND', `The IMAP server says: ${imap.text}`, { imap, cause });
  }
  return new BrokerError('IMAP_NO', `The IMAP server refused: ${imap.text}`, { imap, cause });
}

/** The error of a command whose connection broke before its answer came. A server that said BYE wants a pause. */
function lostError(cause: unknown, bye: string | undefined): BrokerError {
  const imap = byeOf(cause, bye);
  const why = imap?.text ? `: ${imap.text}` : '.';
  return new BrokerError('CONNECTION_LOST', `The connection to the IMAP server was lost${why}`, {
    executed: 'maybe',
    ...(imap && { imap, retryAfterMs: DEFAULT_RETRY_MS }),
    cause,
  });
}

/** How far a connection came before it failed. */
export interface Progress {
  /** The server has sent its greeting. */
  greeted: boolean;
  /** Nothing was left to do but the login. */
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
  const { authenticationFailed, code = '', message } = detailsOf(failure);
  if (unsendableCodes.has(code)) {
    const text = message ?? 'The credentials cannot be sent to the IMAP server.';
    return new BrokerError('INVALID_PARAMS', text, { cause: failure });
  }
  const imap = replyOf(failure) ?? byeOf(failure);
  const options = { imap, retryAfterMs: detailsOf(failure).throttleReset ?? DEFAULT_RETRY_MS, cause: failure };
  const stage = stageOf(progress, code, imap);
  if (stage !== 'login' || (!imap && !isThrottled(failure))) {
    const why = imap?.text || (stage === 'full' ? 'it ended the connection before its greeting' : code || message);
    const text = `No connection to the IMAP server "${server}": ${why || 'no answer'}`;
    return new LoginError('UPSTREAM_UNAVAILABLE', text, { ...options, stage });
  }
  const refusal = isThrottled(failure) || !imap ? 'throttled' : refusalOf(imap);
  // imapflow calls everything but a tagged NO or BAD no answer to the login.
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

/** What a refusal of each class comes to, for people. */
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

function throttledError(failure: unknown, message: string): BrokerError {
  const retryAfterMs = detailsOf(failure).throttleReset ?? DEFAULT_RETRY_MS;
  return new BrokerError('UPSTREAM_UNAVAILABLE', message, { retryAfterMs, imap: replyOf(failure), cause: failure });
}

function byeOf(failure: unknown, bye?: string): ImapReply | undefined {
  const reply = replyOf(failure);
  if (reply?.status === 'BYE' && reply.text) return reply;
  const { code = '', reason } = detailsOf(failure);
  // Node's errors of TLS have a `reason` as well.
  const text = bye ?? (byeCodes.test(code) ? reason : undefined);
  return text === undefined ? undefined : { status: 'BYE', text };
}

function detailsOf(failure: unknown): ImapFlowFailure {
  return (failure ?? {}) as ImapFlowFailure;
}
