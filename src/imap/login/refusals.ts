import type { ImapReply } from '../../protocol/errors.js';

/**
 * Why a server refused a login:
 * - `credentials`: they are wrong, expired or not allowed here; the same ones would be refused again.
 * - `connections`: they are right, but the user has as many connections as the server allows.
 * - `throttled`: the server takes no login of this user for a while, whatever the password; each try prolongs that.
 * - `account`: the server cannot open the mailbox of this user, or the user has to do something elsewhere first.
 * - `server`: the server has a problem of its own, or takes no logins in this way.
 */
export type LoginRefusal = 'credentials' | 'connections' | 'throttled' | 'account' | 'server';

const ATTEMPTS =
  /too many.{0,40}\b(attempts?|failures|failed|invalid|incorrect|tries|log-?[io]ns?|sign-?ins?|auth\w*|requests|commands)\b/i;
const CONNECTIONS =
  /simultaneous|(too many|max(imum)?\b|limit|exceed).{0,60}\b(connections?|sessions?|clients)\b|\b(connections?|sessions?)\b.{0,60}(limit|exceed|too many|maximum)/i;
const WRONG =
  /\b(invalid|incorrect|wrong|bad) (user|login|log-?on|password|credentials|access token|auth)|password (is |was |has )?(invalid|incorrect|wrong|expired)|password (error|required)|user (not found|unknown)|unknown user|no such user/i;
const LOCKED =
  /\block(ed|out)\b|rate.?limit|throttl|bandwidth|frequen|rejected (for|from) this|\bban(ned)?\b|black.?list|try (it )?again (in|after) \d|^goodbye\.?$/i;
const BROKEN =
  /\b(account|mailbox|user|maildir|directory|domain)\b.{0,60}\b(unavailable|disabled|blocked|suspended|inactive|frozen|closed|in use|corrupt\w*|does not exist|not owned|not enabled|not connected|full|maintenance)\b|\b(disabled|not enabled) for (your|this)\b|quota|web login|web browser/i;
const TROUBLE =
  /\b(server|system|service|internal|backend|temporar\w*|technical)\b.{0,40}\b(error|failure|problem|busy|unavailable|trouble|down|terminating|not available)\b|generic failure|lookup failed|unavailable|shut(ting)? ?down|maintenance|try (it )?again|\blayer\b|plaintext/i;

/** Texts that are more precise than the response code: Gmail sends OVERQUOTA when it throttles, Yahoo LIMIT. */
function byStrongWords(text: string): LoginRefusal | undefined {
  if (CONNECTIONS.test(text) && !/attempt/i.test(text)) return 'connections';
  if (ATTEMPTS.test(text)) return 'throttled';
  if (WRONG.test(text)) return 'credentials';
  return LOCKED.test(text) ? 'throttled' : undefined;
}

/** Response codes (RFC 5530, RFC 9051 section 7.1) that decide where the text does not. */
const byCode = new Map<string, LoginRefusal>([
  ['AUTHENTICATIONFAILED', 'credentials'],
  ['AUTHORIZATIONFAILED', 'credentials'],
  ['EXPIRED', 'credentials'],
  ['NOPERM', 'account'],
  ['LIMIT', 'throttled'],
  ['CONTACTADMIN', 'account'],
  ['OVERQUOTA', 'account'],
  ['CORRUPTION', 'account'],
  ['INUSE', 'account'],
  ['WEBALERT', 'account'],
  ['PRIVACYREQUIRED', 'server'],
]);

/** Response codes of temporary failures; of the mailbox only, where the text names the mailbox. */
const temporary = new Set(['UNAVAILABLE', 'SERVERBUG']);

/** Most characters of a response that are examined. */
const MOST_TEXT = 500;

/** Why a server refused a login, by its response. */
export function refusalOf(reply: ImapReply): LoginRefusal {
  const { status } = reply;
  const code = reply.code?.toUpperCase() ?? '';
  const text = reply.text.slice(0, MOST_TEXT);
  if (temporary.has(code)) return byWords(text) === 'account' ? 'account' : (byLocks(text) ?? 'server');
  const words = byStrongWords(text);
  if (code === 'AUTHENTICATIONFAILED' && words !== 'throttled') return 'credentials';
  // A server that ends the connection without a reason has not judged the password.
  return words ?? byCode.get(code) ?? byWords(text) ?? (status === 'BYE' ? 'server' : 'credentials');
}

function byWords(text: string): LoginRefusal | undefined {
  if (BROKEN.test(text)) return 'account';
  return TROUBLE.test(text) ? 'server' : undefined;
}

function byLocks(text: string): LoginRefusal | undefined {
  return ATTEMPTS.test(text) || LOCKED.test(text) ? 'throttled' : undefined;
}

/** Whether a BYE instead of a greeting says that this address has too many connections. */
export function saysAddressFull(text: string): boolean {
  return CONNECTIONS.test(text.slice(0, MOST_TEXT));
}
