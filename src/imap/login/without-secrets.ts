import { serverText } from '../wire/errors.js';
import type { Credentials } from './server-options.js';

/** Members of imapflow's errors that are copied; others may hold what was sent. */
const members = ['code', 'authenticationFailed', 'responseStatus', 'throttleReset'] as const;
/** Members with text from the server: even a response code may be of any length and repeat the secret. */
const texts = ['message', 'responseText', 'response', 'reason', 'serverResponseCode'] as const;

/** Shorter secrets are not masked: they are parts of too many words. */
const SHORTEST = 3;
const MASK = '***';

/**
 * A login error that is safe for responses and the log: the server's text is shortened, and the credentials, which some
 * servers repeat, are masked.
 */
export function withoutSecrets(failure: unknown, credentials: Credentials): unknown {
  if (typeof failure !== 'object' || failure === null) return failure;
  const secrets = formsOf(credentials);
  const fields = failure as Record<string, unknown>;
  const safe = new Error(masked(String(fields.message ?? ''), secrets)) as Error & Record<string, unknown>;
  safe.name = String(fields.name ?? 'Error');
  for (const member of members) if (fields[member] !== undefined) safe[member] = fields[member];
  for (const text of texts) if (typeof fields[text] === 'string') safe[text] = masked(fields[text], secrets);
  return safe;
}

function masked(text: string, secrets: readonly string[]): string {
  let clean = text;
  for (const secret of secrets) clean = clean.replaceAll(secret, MASK);
  return serverText(clean);
}

/** The secret as it is, and as SASL mechanisms send it; the longest first. */
function formsOf(credentials: Credentials): string[] {
  const secret = 'password' in credentials ? credentials.password : credentials.accessToken;
  if (secret.length < SHORTEST) return [];
  const base64 = (text: string) => Buffer.from(text).toString('base64');
  const quoted = secret.replace(/["\\]/g, '\\$&');
  const plain = `\0${credentials.user}\0${secret}`;
  const oauth = `user=${credentials.user}\x01auth=Bearer ${secret}\x01\x01`;
  return [plain, oauth, base64(plain), base64(oauth), base64(secret), quoted, secret];
}
