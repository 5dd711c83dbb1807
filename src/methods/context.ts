import type { ServerOptions } from '../imap/login/server-options.js';
import type { Account } from '../pool/account.js';
import type { Registry } from '../pool/registry.js';
import type { Answer, Contract, MethodName, Params } from '../protocol/contract.js';
import type { Current } from '../runtime/live.js';
import type { Log } from '../runtime/log/log.js';
import type { Trace } from '../runtime/trace.js';
import type { Proofs } from '../session/proofs.js';
import type { Session } from '../session/session.js';
import type { SessionStore } from '../session/store.js';
import type { Tenant } from '../session/tenant.js';
import type { Views } from '../view/views.js';
import type { Hub } from '../watch/hub.js';
import type { Subscriber } from '../watch/types.js';
import type { Operations } from './operators/operations.js';
import type { OperatorView } from './operators/operator-view.js';
import type { Idempotency } from './support/idempotency.js';
import type { Prepared } from './support/prepared.js';
import type { ServerFacts } from './support/server-facts.js';

/** A stream of bytes to the caller, paced by its credit. */
export interface OutgoingStream {
  readonly id: number;
  /** Aborts when the caller aborts the stream, its socket closes or the stream has had no credit for too long. */
  readonly signal: AbortSignal;
  /**
   * Sends bytes, in frames of at most 64 KiB; resolves once all are handed over, which waits for credit.
   * @throws the signal's reason when the stream has ended
   */
  write(bytes: Uint8Array): Promise<void>;
  /** Tells the caller that all bytes were sent. */
  end(): void;
  /** Tells the caller that the bytes so far are not the whole. */
  abort(error: unknown): void;
}

/** A stream of bytes from the caller. Reading grants credit; ends by itself, or throws when it is aborted or stalls. */
export interface IncomingStream extends AsyncIterable<Uint8Array> {
  readonly id: number;
  /** Refuses further bytes, with ABORT to the caller. */
  abort(error: unknown): void;
}

/** The streams of the socket that a request came by. */
export interface Streams {
  /**
   * Opens a stream to the caller. Nothing of the stream is sent before the result of the request.
   * @throws BrokerError RATE_LIMITED when the socket has too many
   */
  open(): OutgoingStream;
  /**
   * Accepts the stream that the caller named; the same one when a request asks again.
   * @throws BrokerError INVALID_PARAMS for an even or used id, RATE_LIMITED when the socket has too many
   */
  accept(id: number): IncomingStream;
}

/** Events to the socket that a request came by. */
export interface Events {
  subscriber: Subscriber;
  /** Calls back once when the request is answered, with a result or not; at once, with false, where it was already. */
  whenSettled(listener: (ok: boolean) => void): void;
}

/** What every handler gets. */
export interface RequestContext {
  method: MethodName;
  /** Aborts on `$/cancelRequest`, when the socket closes, and on the deadline; its reason is a BrokerError. */
  signal: AbortSignal;
  /** `Date.now()` by which the answer is due. */
  deadlineAt: number;
  tenant: Tenant;
  streams: Streams;
  events: Events;
  services: Services;
  /** Where a newer request takes the place of this one while it is queued. */
  slot?: string | undefined;
  /** Collects what happens to the request, where that was asked for. */
  trace?: Trace | undefined;
}

/** An account as handlers see it, without acquire and release. */
export type AccountRunner = Pick<Account, 'key' | 'run' | 'share' | 'slots'> & { readonly budget?: number | undefined };

/** What a handler of a method with a session gets. */
export interface SessionContext extends RequestContext {
  session: Session;
  account: AccountRunner;
}

/** What the broker is to its handlers. */
export interface Services {
  sessions: SessionStore;
  proofs: Proofs;
  registry: Registry;
  views: Views;
  /** What became of requests with an idempotency key. */
  idempotency: Idempotency;
  /** What servers offer the users of accounts. */
  facts: ServerFacts;
  hub: Hub;
  /** What operators see. */
  operatorView: OperatorView;
  /** The IMAP servers of the configuration, by name. */
  servers: ReadonlyMap<string, ServerOptions>;
  /** Names of the applications in the configuration. */
  tenantNames: ReadonlySet<string>;
  version: string;
  /** What operators call the broker. */
  name: string;
  /** Whether the store that several brokers share can be reached; undefined where there is none. */
  shared?: { readonly up: boolean } | undefined;
  /** Names this run of the broker: another one after each start. */
  epoch: string;
  limits: Current<ServiceLimits>;
  operations: Operations;
  log: Log;
}

export interface ServiceLimits {
  /** Connections that an account may have at once. */
  connectionsPerAccount: number;
  /** Jobs of an account that may wait for a connection. */
  queuePerAccount: number;
  /** Largest message that message.append takes, in bytes. */
  appendBytes: number;
}

type ContextOf<M extends MethodName> = Contract[M]['access'] extends 'session' ? SessionContext : RequestContext;

/** The handler of one method. */
export type Handler<M extends MethodName> = (context: ContextOf<M>, params: Params<M>) => Promise<Answer<M>>;

/** The handler of a method whose result is put together from JSON that is kept. */
export type PreparedHandler<M extends MethodName> = (context: ContextOf<M>, params: Params<M>) => Promise<Prepared>;

/** A handler for every method of the contract: a missing one does not compile. */
export type Handlers = { [M in MethodName]: Handler<M> | PreparedHandler<M> };
