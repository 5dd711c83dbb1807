/** Whether the request had an effect at the IMAP server. Never falsely `no`. */
export type Executed = 'no' | 'maybe' | 'yes';

/**
 * Every kind of error that the broker answers, with its JSON-RPC code and whether the request may be sent again.
 * The document `docs/protocol.md` carries the same table; a test keeps both equal.
 */
export const errorTable = {
  PARSE_ERROR: { code: -32700, retry: 'never', meaning: 'The frame is not valid JSON.' },
  INVALID_REQUEST: { code: -32600, retry: 'never', meaning: 'The frame is JSON but not one JSON-RPC 2.0 request.' },
  METHOD_NOT_FOUND: { code: -32601, retry: 'never', meaning: 'The broker has no method of this name.' },
  INVALID_PARAMS: { code: -32602, retry: 'never', meaning: 'A parameter is missing, unknown or out of its limits.' },
  INTERNAL: { code: -32603, retry: 'never', meaning: 'A defect of the broker; its log has the cause.' },
  CANCELLED: { code: -32800, retry: 'caller', meaning: 'The caller cancelled the request or its socket closed.' },
  SUPERSEDED: {
    code: -32800,
    retry: 'never',
    meaning: 'A newer request of the session with the same slot came while this one was queued.',
  },
  UNAUTHENTICATED: { code: -32001, retry: 'never', meaning: 'The bearer token is missing or unknown.' },
  FORBIDDEN: {
    code: -32002,
    retry: 'never',
    meaning: 'The application lacks the scope of the method, or the upgrade was refused with 403.',
  },
  SERVER_NOT_ALLOWED: {
    code: -32002,
    retry: 'never',
    meaning: 'No IMAP server of this name is configured, or the application may not use it.',
  },
  SESSION_EXPIRED: { code: -32003, retry: 'after a new login', meaning: 'The session token is unknown or has ended.' },
  IMAP_AUTH_FAILED: { code: -32004, retry: 'never by itself', meaning: 'The IMAP server refused the credentials.' },
  IMAP_TOKEN_EXPIRED: {
    code: -32004,
    retry: 'after session.refresh',
    meaning: 'The IMAP server refused the OAuth2 access token: it expired or was revoked.',
  },
  POOL_EXHAUSTED: {
    code: -32010,
    retry: 'after retryAfterMs',
    meaning: 'All connections are busy and the queue is full.',
  },
  RATE_LIMITED: {
    code: -32011,
    retry: 'after retryAfterMs',
    meaning: 'Too many requests: over a limit of the socket or a quota of the application.',
  },
  UPSTREAM_UNAVAILABLE: {
    code: -32012,
    retry: 'after retryAfterMs',
    meaning:
      'The IMAP server cannot be reached, presents a bad certificate, or takes no login of this user for now; data.imap has its words.',
  },
  CONNECTION_LOST: {
    code: -32013,
    retry: 'caller, unless executed is maybe',
    meaning: 'The IMAP connection broke. A read was already repeated once by the broker.',
  },
  DEADLINE: { code: -32014, retry: 'caller, unless executed is maybe', meaning: 'The deadline of the request passed.' },
  DRAINING: {
    code: -32015,
    retry: 'now, elsewhere, unless executed is maybe',
    meaning: 'The broker is about to stop: it takes no new work, and cancels what is not done in time.',
  },
  IMAP_NO: {
    code: -32020,
    retry: 'never',
    meaning: "The IMAP server refused the command; data.imap has the server's words.",
  },
  UNSUPPORTED: {
    code: -32025,
    retry: 'never',
    meaning:
      'The IMAP server, or the folder, does not offer what the request needs; data.field names it. Nothing was done.',
  },
  NOT_FOUND: { code: -32020, retry: 'never', meaning: 'No such folder, message or part.' },
  STATE_CHANGED: {
    code: -32021,
    retry: 'after a new listing',
    meaning: 'The folder has another UIDVALIDITY: all its uids are void.',
  },
  STREAM_STALLED: { code: -32022, retry: 'never', meaning: 'A stream had no credit or no data for too long.' },
  TOO_LARGE: { code: -32022, retry: 'never', meaning: 'A message, part or answer is over a stated limit.' },
  IDEMPOTENCY_MISMATCH: {
    code: -32023,
    retry: 'never',
    meaning: 'The idempotency key was used for a request with other parameters.',
  },
  INVALID_CONFIG: {
    code: -32024,
    retry: 'never',
    meaning: 'The configuration file cannot be used; everything is as it was.',
  },
} as const satisfies Record<string, { code: number; retry: string; meaning: string }>;

/** The kinds of errors, the keys of {@link errorTable}. */
export type ErrorKind = keyof typeof errorTable;

/** What an IMAP server said when it refused: status, response code (RFC 5530) and human text. */
export interface ImapReply {
  status: 'NO' | 'BAD' | 'BYE';
  code?: string | undefined;
  text: string;
}

/** The `data` member of a JSON-RPC error. */
export interface ErrorData {
  kind: ErrorKind;
  executed: Executed;
  /** Milliseconds after which another try makes sense. */
  retryAfterMs?: number | undefined;
  /** Dotted path of the parameter that was refused. */
  field?: string | undefined;
  imap?: ImapReply | undefined;
}

/** The `error` member of a JSON-RPC response. */
export interface WireError {
  code: number;
  message: string;
  data: ErrorData;
}

/** Options of {@link BrokerError} beside kind and message. */
export interface BrokerErrorOptions {
  executed?: Executed | undefined;
  retryAfterMs?: number | undefined;
  field?: string | undefined;
  imap?: ImapReply | undefined;
  cause?: unknown;
}

/** An error that may be shown to a caller as it is. Anything else that is thrown becomes INTERNAL. */
export class BrokerError extends Error {
  override readonly name = 'BrokerError';
  readonly kind: ErrorKind;
  readonly executed: Executed;
  readonly retryAfterMs: number | undefined;
  readonly field: string | undefined;
  readonly imap: ImapReply | undefined;

  constructor(kind: ErrorKind, message: string, options: BrokerErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.kind = kind;
    this.executed = options.executed ?? 'no';
    this.retryAfterMs = options.retryAfterMs;
    this.field = options.field;
    this.imap = options.imap;
  }

  get code(): number {
    return errorTable[this.kind].code;
  }

  /** The same error with another answer to "was it executed?". */
  withExecuted(executed: Executed): BrokerError {
    if (executed === this.executed) return this;
    const { retryAfterMs, field, imap, cause } = this;
    return new BrokerError(this.kind, this.message, { executed, retryAfterMs, field, imap, cause });
  }

  /** The JSON-RPC `error` member; neither stack nor cause leave the process. */
  toWire(): WireError {
    const data: ErrorData = { kind: this.kind, executed: this.executed };
    if (this.retryAfterMs !== undefined) data.retryAfterMs = this.retryAfterMs;
    if (this.field !== undefined) data.field = this.field;
    if (this.imap !== undefined) data.imap = this.imap;
    return { code: this.code, message: this.message, data };
  }
}
