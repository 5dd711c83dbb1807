import { serverText } from '../wire/errors.js';
import type { Credentials } from './server-options.js';

/** What is looked at of an error of imapflow; its other members may hold what was sent. */
const members = ['code', 'authenticationFailed', 'responseStatus', 'throttleReset'] as const;
/** Of the server's own choice: a response code, too, may be of any length and repeat the secret. */
const texts = ['message', 'responseText', 'response', 'reason', 'serverResponseCode'] as const;

/** Shorter secrets are parts of too many words. */
const SHORTEST = 3;
const MASK = '***';

/**
 * An error of a login for answers and the log: the server's words cut to what an answer carries, and without the
 * credentials, which some servers repeat.
 */
export function withoutSecrets(failure: unknown, credentials: Credentials): unknown {
  if (typeof failure !== 'object' || failure === null) return failure;
  const secrets = formsOf(credentials);
  const told = failure as Record<string, unknown>;
  const safe = new Error(masked(String(told.message ?? ''), secrets)) as Error & Record<string, unknown>;
  safe.name = String(told.name ?? 'Error');
  for (const member of members) if (told[member] !== undefined) safe[member] = told[member];
  for (const text of texts) if (typeof told[text] === 'string') safe[text] = masked(told[text], secrets);
  return safe;
}

function masked(text: string, secrets: readonly string[]): string {
  let clean = text;
  for (const secret of secrets) clean = clean.replaceAll(secret, MASK);
  return serverText(clean);
}

/** The secret as it is, and as the mechanisms of SASL send it; the longest first. */
function formsOf(credentials: Credentials): string[] {
  const secret = 'password' in credentials ? credentials.password : credentials.accessToken;
  if (secret.length < SHORTEST) return [];
  const base64 = (text: string) => Buffer.from(text).toString('base64');
  const quoted = secret.replace(/["\\]/g, '\\$&');
  const plain = `\0${credentials.user}\0${secret}`;
  const oauth = `user=${credentials.user}\x01auth=Bearer ${secret}\x01\x01`;
  return [plain, oauth, base64(plain), base64(oauth), base64(secret), quoted, secret];
}
