import type { ErrorKind as BrokerErrorKind, Executed, ImapReply, WireError } from '../protocol/errors.js';

export type { Executed, ImapReply };

/** The kinds of errors that a broker answers, and UNREACHABLE, which the client itself says where there is no broker. */
export type ErrorKind = BrokerErrorKind | 'UNREACHABLE';

/** What an error carries beside its message. */
export interface RpcErrorDetails {
  kind: ErrorKind;
  executed: Executed;
  retryAfterMs?: number | undefined;
  field?: string | undefined;
  imap?: ImapReply | undefined;
  /** What the network complained of. */
  cause?: unknown;
}

/** A request that failed: refused by the broker, or lost on the way to it. */
export class RpcError extends Error {
  readonly kind: ErrorKind;
  /** Whether the request had an effect at the IMAP server; never falsely `no`. */
  readonly executed: Executed;
  /** Milliseconds after which another try makes sense. */
  readonly retryAfterMs: number | undefined;
  /** Dotted path of the parameter that was refused. */
  readonly field: string | undefined;
  /** The IMAP server's own words. */
  readonly imap: ImapReply | undefined;

  constructor(message: string, details: RpcErrorDetails) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = new.target.name;
    this.kind = details.kind;
    this.executed = details.executed;
    this.retryAfterMs = details.retryAfterMs;
    this.field = details.field;
    this.imap = details.imap;
  }
}

/** The parameters are not what the contract says; `field` names the first that is wrong. */
export class InvalidParamsError extends RpcError {}
/** No broker can be reached; `cause` says why. */
export class UnreachableError extends RpcError {}
/** The bearer token was refused, so there is no socket. */
export class UnauthenticatedError extends RpcError {}
/** The session has ended: open a new one. */
export class SessionExpiredError extends RpcError {}
/** The IMAP server refused the credentials. */
export class ImapAuthError extends RpcError {}
/** The IMAP server refused the OAuth2 access token: get another and call session.refresh. */
export class TokenExpiredError extends RpcError {}
/** Too much at once, here or at the IMAP server: try again after `retryAfterMs`. */
export class BusyError extends RpcError {}
/** A connection broke while the request was under way; `executed` says whether a write may have happened. */
export class ConnectionLostError extends RpcError {}
/** The deadline passed. */
export class DeadlineError extends RpcError {}
/** The request or its stream was cancelled. */
export class CancelledError extends RpcError {}
/** The folder or message does not exist. */
export class NotFoundError extends RpcError {}
/** The folder has another UIDVALIDITY now: list it again. */
export class StateChangedError extends RpcError {}
/** The IMAP server refused; `imap` has its words. */
export class ImapRefusedError extends RpcError {}
/** The IMAP server, or the folder, does not offer what the request needs; `field` names it. */
export class UnsupportedError extends RpcError {}

const classes: Partial<Record<ErrorKind, typeof RpcError>> = {
  INVALID_PARAMS: InvalidParamsError,
  UNREACHABLE: UnreachableError,
  UNAUTHENTICATED: UnauthenticatedError,
  SESSION_EXPIRED: SessionExpiredError,
  IMAP_AUTH_FAILED: ImapAuthError,
  IMAP_TOKEN_EXPIRED: TokenExpiredError,
  POOL_EXHAUSTED: BusyError,
  RATE_LIMITED: BusyError,
  UPSTREAM_UNAVAILABLE: BusyError,
  DRAINING: BusyError,
  CONNECTION_LOST: ConnectionLostError,
  DEADLINE: DeadlineError,
  CANCELLED: CancelledError,
  NOT_FOUND: NotFoundError,
  STATE_CHANGED: StateChangedError,
  IMAP_NO: ImapRefusedError,
  UNSUPPORTED: UnsupportedError,
};

/** The error of a kind, in its class. */
export function rpcError(message: string, details: RpcErrorDetails): RpcError {
  // Kinds come from the broker, and may be names that every object has.
  const Class = (Object.hasOwn(classes, details.kind) && classes[details.kind]) || RpcError;
  return new Class(message, details);
}

/** The `error` member of an answer as an error. */
export function fromWire({ message, data }: WireError): RpcError {
  return rpcError(message, data);
}
