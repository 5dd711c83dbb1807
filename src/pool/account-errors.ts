import { BrokerError } from '../protocol/errors.js';

/** Whether the server refused a login that would succeed if fewer were there. */
export function saysNoMore(error: unknown): boolean {
  return error instanceof BrokerError && error.kind === 'UPSTREAM_UNAVAILABLE' && error.imap !== undefined;
}

export function closedError(): BrokerError {
  return new BrokerError('DRAINING', 'The account is being closed.');
}

export function refusedError(): BrokerError {
  return new BrokerError('IMAP_AUTH_FAILED', 'The IMAP server refused the credentials; open a new session.');
}

/** Whether the server refused the credentials: another login with the same ones would fail as well. */
export function isRefusedLogin(error: unknown): boolean {
  return error instanceof BrokerError && (error.kind === 'IMAP_AUTH_FAILED' || error.kind === 'IMAP_TOKEN_EXPIRED');
}
