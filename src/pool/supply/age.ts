import type { ImapConnection } from '../../imap/connection/connection.js';
import { type Credentials, tokenEnd } from '../../imap/login/server-options.js';

/** A connection is replaced so many milliseconds before its access token expires, where there is a newer token. */
const TOKEN_MARGIN_MS = 60_000;

/** Connections made together do not end together: the life of each is shortened by a random part of this share. */
const JITTER = 0.2;
const jitters = new WeakMap<ImapConnection, number>();

/** Whether a connection is to be replaced: for its age, or because the token that it logged in with expires. */
export function isOld(connection: ImapConnection, maxAgeMs: number, current: Credentials | undefined): boolean {
  const { createdAt, tokenEndsAt } = connection;
  if (Date.now() - createdAt > maxAgeMs * lifeOf(connection)) return true;
  if (tokenEndsAt === undefined || Date.now() < tokenEndsAt - TOKEN_MARGIN_MS) return false;
  // With the same token a successor would be due at once.
  return tokenEnd(current) !== tokenEndsAt;
}

/** The share of `maxAgeMs` that a connection may live. */
function lifeOf(connection: ImapConnection): number {
  const known = jitters.get(connection);
  if (known !== undefined) return known;
  const life = 1 - JITTER * Math.random();
  jitters.set(connection, life);
  return life;
}
