import { BrokerError, type ImapReply } from '../protocol/errors.js';

/** What imapflow attaches to the errors that it throws; all of it may be missing. */
interface ImapFlowFailure {
  code?: string;
  message?: string;
  authenticationFailed?: boolean;
  serverResponseCode?: string;
  responseStatus?: string;
  responseText?: string;
  response?: unknown;
  throttleReset?: number;
}

/** Response codes of RFC 5530 by which a refused login does not speak of wrong credentials. */
const busyCodes = new Set(['LIMIT', 'UNAVAILABLE', 'INUSE', 'SERVERBUG', 'CONTACTADMIN', 'OVERQUOTA']);
const goneCodes = new Set(['NONEXISTENT', 'TRYCREATE']);
const oversizeCodes = new Set([
  'LiteralTooLarge',
  'ResponseTooLarge',
  'LineTooLarge',
  'TooManyTokens',
  'TooManyResponses',
]);
const DEFAULT_RETRY_MS = 2_000;

/** The server's words in a failed command, if it spoke at all. */
export function replyOf(failure: unknown): ImapReply | undefined {
  const { responseStatus, responseText, serverResponseCode, response } = failure as ImapFlowFailure;
  if (responseStatus !== 'NO' && responseStatus !== 'BAD' && responseStatus !== 'BYE') return undefined;
  const text = responseText ?? (typeof response === 'string' ? response : '');
  return { status: responseStatus, code: serverResponseCode, text };
}

/**
 * The error of a failed command on a logged-in connection. `executed` is `no` where the server refused, else
 * `maybe`; whoever knows that nothing was written lowers it.
 */
export function commandError(failure: unknown): BrokerError {
  if (failure instanceof BrokerError) return failure;
  // A defect of ours or of imapflow: as a lost connection it would be repeated, and never be seen.
  if (failure instanceof TypeError || failure instanceof RangeError) {
    return new BrokerError('INTERNAL', 'The broker failed; its log has the cause.', {
      executed: 'maybe',
      cause: failure,
    });
  }
  const { code = '', throttleReset, message } = failure as ImapFlowFailure;
  if (code === 'ETHROTTLE') {
    return new BrokerError('UPSTREAM_UNAVAILABLE', 'The IMAP server throttles this account.', {
      retryAfterMs: throttleReset ?? DEFAULT_RETRY_MS,
      imap: replyOf(failure),
      cause: failure,
    });
  }
  if (oversizeCodes.has(code)) {
    return new BrokerError('TOO_LARGE', 'The answer of the IMAP server is over the limit of the broker.', {
      executed: 'maybe',
      cause: failure,
    });
  }
  const imap = replyOf(failure);
  if (imap && imap.status !== 'BYE') return refusal(imap, failure);
  if (code.startsWith('Invalid')) {
    return new BrokerError('INVALID_PARAMS', message ?? 'A value cannot be sent to the IMAP server.', {
      cause: failure,
    });
  }
  return lostError(failure);
}

function refusal(imap: ImapReply, cause: unknown): BrokerError {
  if (imap.code && goneCodes.has(imap.code.toUpperCase())) {
    return new BrokerError('NOT_FOUND', `The IMAP server says: ${imap.text}`, { imap, cause });
  }
  return new BrokerError('IMAP_NO', `The IMAP server refused: ${imap.text}`, { imap, cause });
}

/** The error of a command whose connection broke before its answer came. */
export function lostError(cause?: unknown): BrokerError {
  return new BrokerError('CONNECTION_LOST', 'The connection to the IMAP server was lost.', {
    executed: 'maybe',
    cause,
  });
}

/** The error of a connect or login that failed. Nothing was executed. */
export function connectError(failure: unknown, server: string): BrokerError {
  if (failure instanceof BrokerError) return failure;
  const { authenticationFailed, serverResponseCode = '', code } = failure as ImapFlowFailure;
  const imap = replyOf(failure);
  // Reaching a connection limit is answered on LOGIN too, and imapflow marks both alike.
  if (authenticationFailed && imap && !busyCodes.has(serverResponseCode.toUpperCase())) {
    return new BrokerError('IMAP_AUTH_FAILED', 'The IMAP server refused the credentials.', { imap, cause: failure });
  }
  const why = imap?.text ?? code ?? 'no answer';
  return new BrokerError('UPSTREAM_UNAVAILABLE', `No connection to the IMAP server "${server}": ${why}`, {
    retryAfterMs: DEFAULT_RETRY_MS,
    imap,
    cause: failure,
  });
}
