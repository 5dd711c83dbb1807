import { BrokerError, type BrokerErrorOptions, type ErrorKind } from '../../protocol/errors.js';
import type { LoginRefusal } from './refusals.js';

/**
 * How far a connection came that could not be made: not to the greeting, not to a secure connection, or to the login.
 * `full` stands for the first as well: the server ended the connection in place of its greeting, as servers do that
 * allow an address so many connections.
 */
export type LoginStage = 'full' | 'connect' | 'login';

/** The error of a connection that could not be made, with what the pool has to know of it. */
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

  /** The same error with another time to wait. */
  withRetryAfter(retryAfterMs: number): LoginError {
    const { stage, refusal, executed, field, imap, cause } = this;
    return new LoginError(this.kind, this.message, { stage, refusal, executed, retryAfterMs, field, imap, cause });
  }
}
