import type { Services } from '../methods/context.js';
import { isMethod, type MethodName } from '../protocol/contract.js';
import type { RequestFrame } from '../protocol/frames.js';
import type { Explanation, Meta } from '../protocol/models.js';
import type { Listeners } from '../runtime/listeners.js';
import type { Log } from '../runtime/log/log.js';
import { Trace } from '../runtime/trace.js';

/** An answered request, for listeners that count requests. */
export interface Answered {
  /** Undefined where the contract has no such method. */
  method: MethodName | undefined;
  tenant: string;
  /** The key of the account, where the request has a session or opens one. */
  account: string | undefined;
  /** Milliseconds from the arrival of the request to its answer; 0 where it was refused unread. */
  ms: number;
  /** `ok`, or the kind of the error. */
  outcome: string;
  /** The `source` in the `meta` of the answer; undefined where the answer has none. */
  source: Meta['source'] | undefined;
}

/** Where the record of a request goes when the request is answered. */
export interface RecordKeepers {
  services: Pick<Services, 'operatorView'>;
  log: Log;
  answered: Listeners<Answered>;
}

/** Requests so far: a caller's own ids are unique on its socket alone. */
let requests = 0;

/** What is learned of a request from its arrival to its answer, for the log, the metrics and an operator's trace. */
export class RequestRecord {
  /** Undefined where the contract has no such method. */
  readonly method: MethodName | undefined;
  /** Times and commands of the request; undefined unless the caller, the log or an operator wants them. */
  trace: Trace | undefined;
  readonly #frame: RequestFrame;
  readonly #caller: { tenant: string; socket: string };
  readonly #keepers: RecordKeepers;
  readonly #ids: { request: number; socket: string; id: RequestFrame['id'] };
  readonly #begunAt = performance.now();
  #account: string | undefined;

  private constructor(frame: RequestFrame, caller: { tenant: string; socket: string }, keepers: RecordKeepers) {
    requests += 1;
    this.method = isMethod(frame.method) ? frame.method : undefined;
    this.#frame = frame;
    this.#caller = caller;
    this.#keepers = keepers;
    this.#ids = { request: requests, socket: caller.socket, id: frame.id };
    // At level debug the log has each request with its IMAP connection, which the trace knows.
    if (keepers.log.isLevelEnabled('debug')) this.trace = new Trace();
  }

  /** Starts the clock of a request that has just arrived. */
  static begin(frame: RequestFrame, caller: { tenant: string; socket: string }, keepers: RecordKeepers): RequestRecord {
    return new RequestRecord(frame, caller, keepers);
  }

  /** The request turned out to concern an account, which an operator may trace. */
  concerns(account: string): void {
    this.#account = account;
    if (this.#keepers.services.operatorView.tracing.wants(account)) this.trace ??= new Trace();
  }

  /** What the answer says of the request's own times and commands; undefined where nothing was traced. */
  explanation(): Explanation | undefined {
    return this.trace?.explanation(performance.now() - this.#begunAt);
  }

  /** Logs a failure of the broker itself. */
  broken(err: unknown): void {
    this.#keepers.log.error({ ...this.#about, method: this.method, err }, 'request failed');
  }

  /** The request is answered: tells the log, the listeners, and operators who trace the account. */
  finish(outcome: string, source: Meta['source'] | undefined): void {
    const ms = Math.round((performance.now() - this.#begunAt) * 10) / 10;
    const { log, answered, services } = this.#keepers;
    const { tenant, socket } = this.#caller;
    const { method } = this;
    const account = this.#account;
    log.debug({ ...this.#about, method, tenant, ms, outcome }, 'request');
    answered.tell({ method, tenant, account, ms, outcome, source });
    const { tracing } = services.operatorView;
    if (account === undefined || !tracing.wants(account)) return;
    const { id: request = '', method: name } = this.#frame;
    const explain = this.trace?.connection === undefined ? null : this.trace.explanation(ms);
    tracing.tell(account, { tenant, socket, request, method: name, ms, outcome, source: source ?? null, explain });
  }

  get #about(): object {
    return { ...this.#ids, connection: this.trace?.connection };
  }
}
