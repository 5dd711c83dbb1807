import { LoginError } from '../imap/login/login-error.js';
import { BrokerError } from '../protocol/errors.js';

/** Whether the server refused a login because the user has as many connections as it allows. */
export function saysTooMany(error: unknown): error is LoginError {
  return error instanceof LoginError && error.refusal === 'connections';
}

/** Whether the server lets this broker have no more connections, for any user. */
export function saysFull(error: unknown): error is LoginError {
  return error instanceof LoginError && error.stage === 'full';
}

/** Whether a server was reached although a login failed: the cause concerns one account, not the server. */
export function wasReached(error: unknown): boolean {
  return error instanceof LoginError && error.stage !== 'connect';
}

/** The error of a job whose deadline passed; where a write was under way, `workOn` sets `executed` to `maybe`. */
export function deadlineError(): BrokerError {
  return new BrokerError('DEADLINE', 'The deadline of the request passed.');
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
