import type { Params } from '../../protocol/contract.js';
import type { Secret } from '../../session/session.js';

/** The credentials of a request as a session keeps them. */
export function secretOf(auth: Params<'session.open'>['auth']): Secret {
  if ('password' in auth) return auth;
  const { accessToken, expiresAt } = auth;
  return expiresAt === undefined ? { accessToken } : { accessToken, expiresAt: Date.parse(expiresAt) };
}
