import type { ImapReply } from '../../protocol/errors.js';

/**
 * What a refused login says:
 * - `credentials`: they are wrong, expired or not allowed here; the same ones would be refused again.
 * - `connections`: right, but the user has as many connections as the server allows.
 * - `throttled`: no login of this user is taken for a while, whatever the password; each further one prolongs that.
 * - `account`: the server cannot open the mailbox of this user, or its owner has to do something elsewhere first.
 * - `server`: the server has trouble of its own, or takes no logins in this way.
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

/** Words that say more than the response code beside them: Gmail sends OVERQUOTA when it throttles, Yahoo LIMIT. */
function byStrongWords(text: string): LoginRefusal | undefined {
  if (CONNECTIONS.test(text) && !/attempt/i.test(text)) return 'connections';
  if (ATTEMPTS.test(text)) return 'throttled';
  if (WRONG.test(text)) return 'credentials';
  return LOCKED.test(text) ? 'throttled' : undefined;
}

/** Response codes (RFC 5530, RFC 9051 section 7.1) that decide by themselves, where the words do not. */
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

/** Codes of temporary trouble, of the one mailbox where the words name it. */
const temporary = new Set(['UNAVAILABLE', 'SERVERBUG']);

/** Characters of an answer that are looked at. */
const MOST_TEXT = 500;

/** What a server means by the answer with which it refused a login. */
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

/** Whether a server that ended a connection in place of a greeting says that this address has too many of them. */
export function saysAddressFull(text: string): boolean {
  return CONNECTIONS.test(text.slice(0, MOST_TEXT));
}
