import { BrokerError, type ImapReply } from '../../protocol/errors.js';
import { wireLimits } from './limits.js';
import { type ImapAttribute, listOf, textOf } from './tokens.js';

/** Default for `retryAfterMs` where the server names no pause. */
export const DEFAULT_RETRY_MS = 2_000;
const MOST_RETRY_MS = 300_000;
const goneCodes = new Set(['NONEXISTENT', 'TRYCREATE']);

/** A human-readable text of a server: shortened to a length that fits an answer, without control characters. */
export function serverText(text: string): string {
  const cut = text.length > wireLimits.textBytes ? `${text.slice(0, wireLimits.textBytes - 3)}...` : text;
  return cut.replace(/[\p{Cc}\p{Cs}]/gu, '\uFFFD');
}

/** Most charsets that are read of a BADCHARSET, and characters of the name of each. */
const MOST_CHARSETS = 20;
const CHARSET_NAME = /^[A-Za-z0-9][\w.:+-]{0,39}$/;

/** The charsets that a server names where it refuses another (BADCHARSET, RFC 9051 section 7.1). */
export class OtherCharsets {
  readonly names: readonly string[];

  constructor(codeArgs: readonly ImapAttribute[]) {
    const names = listOf(codeArgs[0]).slice(0, MOST_CHARSETS).map(textOf);
    this.names = names.filter((name) => CHARSET_NAME.test(name));
  }
}

/** The error of a command that the server refused. For a BADCHARSET, {@link OtherCharsets} are its cause. */
export function refusal(imap: ImapReply, codeArgs: readonly ImapAttribute[] = []): BrokerError {
  const pause = throttled(imap);
  if (pause) return pause;
  if (imap.code && goneCodes.has(imap.code)) {
    return new BrokerError('NOT_FOUND', `The IMAP server says: ${imap.text}`, { imap });
  }
  const cause = imap.code === 'BADCHARSET' ? new OtherCharsets(codeArgs) : undefined;
  return new BrokerError('IMAP_NO', `The IMAP server refused: ${imap.text}`, { imap, cause });
}

/** Outlook refuses with "Request is throttled. Suggested Backoff Time: 92415 milliseconds". */
function throttled(imap: ImapReply): BrokerError | undefined {
  if (!/request is throttled/i.test(imap.text)) return undefined;
  const [, pause] = /backoff time[:=\s]+(\d{1,9})/i.exec(imap.text) ?? [];
  if (pause === undefined) return undefined;
  return new BrokerError('UPSTREAM_UNAVAILABLE', 'The IMAP server throttles this account.', {
    imap,
    retryAfterMs: Math.min(Number(pause), MOST_RETRY_MS),
  });
}

/** The pause in milliseconds that a throttling server asks for in its text; undefined for other texts. */
export function throttlePause(text: string): number | undefined {
  return throttled({ status: 'NO', text })?.retryAfterMs;
}

/**
 * The error of a command whose connection ended before its response came.
 * @param bye the text of the server's BYE; after a BYE, retries wait
 */
export function connectionLost(cause: unknown, bye?: string): BrokerError {
  const why = bye ? `: ${bye}` : '.';
  return new BrokerError('CONNECTION_LOST', `The connection to the IMAP server was lost${why}`, {
    executed: 'maybe',
    ...(bye !== undefined && { imap: { status: 'BYE', text: bye }, retryAfterMs: DEFAULT_RETRY_MS }),
    cause,
  });
}

/** The error of a connection whose server sent more than a limit allows. */
export function tooLarge(what: string, limit: number): BrokerError {
  return new BrokerError(
    'TOO_LARGE',
    `The answer of the IMAP server is over the limit of the broker: ${what}, at most ${limit}.`,
    { executed: 'maybe' },
  );
}

/** A violation of the protocol by the server, from which the session cannot recover. */
export class ProtocolError extends Error {
  override readonly name = 'ProtocolError';
}
