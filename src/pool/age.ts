import type { ImapConnection } from '../imap/connection.js';
import { type Credentials, tokenEnd } from '../imap/server-options.js';

/** Milliseconds before the end of its access token that a connection is replaced, where there is a newer token. */
const TOKEN_MARGIN_MS = 60_000;

/** Whether a connection is to be replaced: for its age, or because the token that it logged in with ends. */
export function isOld(
  { createdAt, tokenEndsAt }: ImapConnection,
  maxAgeMs: number,
  current: Credentials | undefined,
): boolean {
  if (Date.now() - createdAt > maxAgeMs) return true;
  if (tokenEndsAt === undefined || Date.now() < tokenEndsAt - TOKEN_MARGIN_MS) return false;
  // With the same token a successor would be as old at once.
  return tokenEnd(current) !== tokenEndsAt;
}
