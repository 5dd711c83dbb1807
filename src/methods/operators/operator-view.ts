import type { Result } from '../../protocol/contract.js';
import type { AccountLoads } from '../../runtime/load/account-loads.js';
import type { History } from '../../runtime/load/history.js';
import type { Load } from '../../runtime/load/load.js';
import type { Slowest } from '../../runtime/load/slowest.js';
import type { Subscriber } from '../../watch/types.js';
import type { Tracing } from './tracing.js';

/** A stream that is open. */
export interface StreamFacts {
  /** Id of the stream on its socket. */
  stream: number;
  direction: 'download' | 'upload';
  /** Method of the request that the stream belongs to. */
  method: string;
  bytes: number;
  ageMs: number;
  /** Milliseconds that the stream has stood still by now. */
  stalledMs: number;
}

export interface SocketFacts {
  id: string;
  tenant: string;
  peer: string;
  ageMs: number;
  /** Unanswered requests. */
  running: number;
  /** Answered requests. */
  served: number;
  streams: number;
  /** Bytes that wait to be sent. */
  bufferedBytes: number;
  /** Receiver of the events of the socket's watches. */
  subscriber: Subscriber;
}

/** A socket as operators see it. */
export interface SeenSocket {
  readonly id: string;
  /** Name of the application. */
  readonly tenant: string;
  /** Unanswered requests. */
  readonly running: number;
  readonly openStreams: number;
  readonly facts: SocketFacts;
  readonly streams: StreamFacts[];
}

/** A request that took long. */
export interface SlowRequest {
  /** When the request was answered: milliseconds since 1970. */
  at: number;
  /** Undefined where the contract has no such method. */
  method: string | undefined;
  tenant: string;
  /** The key of the account of the request. */
  account: string | undefined;
  ms: number;
  /** `ok`, or the kind of the error. */
  outcome: string;
  source: string | undefined;
}

/** A column of the history. */
export type HistoryColumn = keyof Result<'broker.history'>['columns'];

/** What the broker shows to operators beside its services. */
export interface OperatorView {
  load: Load;
  accountLoads: AccountLoads;
  history: History<HistoryColumn>;
  slowest: Slowest<SlowRequest>;
  tracing: Tracing;
  /** The sockets, the oldest first. */
  readonly sockets: Iterable<SeenSocket>;
  /** Sockets that there may be at once. */
  readonly socketLimit: number;
  readonly draining: boolean;
  /** The configuration that holds now. */
  settings: Result<'config.get'>['settings'];
}
