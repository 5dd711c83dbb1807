import type { ImapConnection } from '../../imap/connection/connection.js';
import { type Credentials, tokenEnd } from '../../imap/login/server-options.js';

/** Milliseconds before the end of its access token that a connection is replaced, where there is a newer token. */
const TOKEN_MARGIN_MS = 60_000;

/** Connections that were made at once do not end at once: each lives shorter by a part of this share of its time. */
const JITTER = 0.2;
const jitters = new WeakMap<ImapConnection, number>();

/** Whether a connection is to be replaced: for its age, or because the token that it logged in with ends. */
export function isOld(connection: ImapConnection, maxAgeMs: number, current: Credentials | undefined): boolean {
  const { createdAt, tokenEndsAt } = connection;
  if (Date.now() - createdAt > maxAgeMs * lifeOf(connection)) return true;
  if (tokenEndsAt === undefined || Date.now() < tokenEndsAt - TOKEN_MARGIN_MS) return false;
  // With the same token a successor would be as old at once.
  return tokenEnd(current) !== tokenEndsAt;
}

/** The share of the longest age that a connection is given. */
function lifeOf(connection: ImapConnection): number {
  const known = jitters.get(connection);
  if (known !== undefined) return known;
  const life = 1 - JITTER * Math.random();
  jitters.set(connection, life);
  return life;
}
