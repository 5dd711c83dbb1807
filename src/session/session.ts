import { BrokerError } from '../protocol/errors.js';

/** What proves a user at the IMAP server; `expiresAt` in milliseconds since 1970. */
export type Secret = { password: string } | { accessToken: string; expiresAt?: number | undefined };

/** What session.open proved: the holder of the token may act on this account. Times in milliseconds since 1970. */
export interface Session {
  /** The same in every token that renews the session. */
  id: string;
  tenant: string;
  server: string;
  user: string;
  secret: Secret;
  /** Key of the account in the registry: tenant, server, user. */
  accountKey: string;
  openedAt: number;
  /** Which list of ended sessions its `generation` counts in: see `Revocations.now`. Empty: none that is known. */
  line: string;
  /** How often sessions had been revoked when this one was opened; a renewal does not change that. */
  generation: number;
  /** How often the session had been renewed when this token was made. */
  renewals: number;
  /** When this token ends unless it is renewed. */
  expiresAt: number;
  /** When no renewal helps any more. */
  endsAt: number;
}

/** The error of a session that has ended, or of which nothing is known. */
export function sessionExpired(): BrokerError {
  return new BrokerError('SESSION_EXPIRED', 'session: unknown or ended; open a new one.', { field: 'session' });
}

/** The error of a session whose IMAP server the configuration no longer names. */
export function serverGone(): BrokerError {
  return new BrokerError('SESSION_EXPIRED', 'session: its IMAP server is not configured any more.', {
    field: 'session',
  });
}
