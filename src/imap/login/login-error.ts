import { BrokerError, type BrokerErrorOptions, type ErrorKind } from '../../protocol/errors.js';
import type { LoginRefusal } from './refusals.js';

/**
 * How far a failed connection came. `connect`: no greeting, or no secure connection. `login`: the login was tried.
 * `full`: the server ended the connection instead of sending its greeting, as servers do that limit the connections
 * per address.
 */
export type LoginStage = 'full' | 'connect' | 'login';

/** The error of a connection that could not be made, with the details that the pool needs. */
export class LoginError extends BrokerError {
  readonly stage: LoginStage;
  /** What the server meant, where it answered the login. */
  readonly refusal: LoginRefusal | undefined;

  constructor(
    kind: ErrorKind,
    message: string,
    { stage, refusal, ...options }: BrokerErrorOptions & { stage: LoginStage; refusal?: LoginRefusal | undefined },
  ) {
    super(kind, message, options);
    this.stage = stage;
    this.refusal = refusal;
  }

  /** The same error with another `retryAfterMs`. */
  withRetryAfter(retryAfterMs: number): LoginError {
    const { stage, refusal, executed, field, imap, cause } = this;
    return new LoginError(this.kind, this.message, { stage, refusal, executed, retryAfterMs, field, imap, cause });
  }
}
