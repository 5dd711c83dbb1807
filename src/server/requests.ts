import { contract, isMethod } from '../protocol/contract.js';
import { BrokerError } from '../protocol/errors.js';
import { notifications } from '../protocol/events.js';
import { decodeRequest, type RequestFrame, type RequestId, salvageId } from '../protocol/frames.js';
import { closeCodes } from '../protocol/limits.js';
import { type Caller, dispatch } from './dispatch.js';
import type { SocketEvents } from './socket-events.js';
import type { SocketOptions } from './socket-options.js';
import type { SocketStreams } from './streams/streams.js';
import type { TenantUse } from './tenant-use.js';
import { TokenBucket } from './token-bucket.js';

/** Refused frames after which a peer is taken for broken and the socket is closed with 4400. */
const BAD_FRAMES = 20;
/** Requests refused with RATE_LIMITED that a socket may have at once, and a second, before it is closed with 4429. */
const REFUSALS = 2_000;
const REFUSALS_PER_SECOND = 100;

/** What requests need of their socket. */
export interface RequestsSocket {
  id: string;
  use: TenantUse;
  streams: SocketStreams;
  events: SocketEvents;
  options: SocketOptions;
  uses: Caller['uses'];
  send(json: string): void;
  close(reason: { code: number; meaning: string }): void;
  /** The peer may wait: its socket is not read for so many milliseconds. */
  readLater(ms: number): void;
  /** A request was answered. */
  onAnswered(): void;
}

interface Pending {
  controller: AbortController;
  /** The request runs on when its socket is lost: its client asks for the result by the key. */
  keyed: boolean;
}

/** The text frames of one socket: requests, each of which is answered once, and what belongs to them. */
export class Requests {
  readonly #socket: RequestsSocket;
  readonly #pending = new Map<RequestId, Pending>();
  readonly #refusals = new TokenBucket(REFUSALS_PER_SECOND, REFUSALS);
  #badFrames = 0;
  #served = 0;
  #draining = false;

  constructor(socket: RequestsSocket) {
    this.#socket = socket;
  }

  /** Unanswered requests. */
  get running(): number {
    return this.#pending.size;
  }

  /** Answered requests. */
  get served(): number {
    return this.#served;
  }

  /** From now on requests for mail are refused. */
  drain(): void {
    this.#draining = true;
  }

  cancelAll(reason: BrokerError): void {
    for (const { controller } of this.#pending.values()) controller.abort(reason);
  }

  /** The socket is lost: its requests are cancelled but for writes with an idempotency key, which run to their deadline. */
  leave(reason: BrokerError): void {
    for (const { controller, keyed } of this.#pending.values()) if (!keyed) controller.abort(reason);
  }

  receive(text: string): void {
    let frame: RequestFrame;
    try {
      frame = decodeRequest(text);
    } catch (error) {
      const id = salvageId(text);
      this.#refuse(id !== null && this.#pending.has(id) ? null : id, error as BrokerError);
      this.#badFrames += 1;
      if (this.#badFrames > BAD_FRAMES) this.#socket.close(closeCodes.BAD_FRAME);
      return;
    }
    if (frame.id === undefined) this.#receiveNotification(frame);
    else this.#receiveRequest(frame.id, frame);
  }

  #receiveNotification({ method, params }: RequestFrame): void {
    if (method === '$/cancelRequest') {
      const parsed = notifications['$/cancelRequest'].params.safeParse(params);
      const cancelled = new BrokerError('CANCELLED', 'The caller cancelled the request.');
      if (parsed.success) this.#pending.get(parsed.data.id)?.controller.abort(cancelled);
    } else if (method === '$/credit') {
      const parsed = notifications['$/credit'].params.safeParse(params);
      if (parsed.success) this.#socket.streams.credit(parsed.data.stream, parsed.data.bytes);
    }
  }

  #receiveRequest(id: RequestId, frame: RequestFrame): void {
    const { pendingRequests } = this.#socket.options.limits.now;
    if (this.#pending.has(id)) {
      // Under the id itself this would be taken for the answer of the request that is still running.
      const message = `id: a request with the id ${JSON.stringify(id)} is not answered yet.`;
      this.#refuse(null, new BrokerError('INVALID_REQUEST', message, { field: 'id' }));
    } else if (this.#draining && !isForOperators(frame.method)) {
      this.#turnAway(id, frame, new BrokerError('DRAINING', 'The broker is about to stop.'));
    } else if (this.#pending.size >= pendingRequests) {
      const message = `This socket has ${pendingRequests} unanswered requests already.`;
      this.#limit(id, frame, new BrokerError('RATE_LIMITED', message, { retryAfterMs: 1000 }));
    } else {
      try {
        this.#socket.use.begin();
      } catch (error) {
        this.#limit(id, frame, error as BrokerError);
        return;
      }
      void this.#answer(id, frame);
    }
  }

  /** Refuses a request above a limit, and ends the socket of a peer that goes on all the same. */
  #limit(id: RequestId, frame: RequestFrame, error: BrokerError): void {
    this.#turnAway(id, frame, error);
    if (this.#refusals.take() > 0) this.#socket.close(closeCodes.FLOOD);
    // Requests that would only be refused wait at their sender: a refusal costs others as much as a small answer.
    else this.#socket.readLater(error.retryAfterMs ?? 0);
  }

  /** Refuses a request for which there is no room, whatever it asks for. */
  #turnAway(id: RequestId, { method }: RequestFrame, error: BrokerError): void {
    this.#refuse(id, error);
    const { options, use } = this.#socket;
    options.answered.tell({
      method: isMethod(method) ? method : undefined,
      tenant: use.tenant.now.name,
      account: undefined,
      ms: 0,
      outcome: error.kind,
      source: undefined,
    });
  }

  async #answer(id: RequestId, frame: RequestFrame): Promise<void> {
    const { id: socket, use, uses, options } = this.#socket;
    const tenant = use.tenant.now;
    const controller = new AbortController();
    this.#pending.set(id, { controller, keyed: isKeyed(frame) });
    const streams = this.#socket.streams.forRequest(frame.method);
    const events = this.#socket.events.forRequest();
    const { ok, json } = await dispatch(frame, { tenant, socket, streams, events, controller, uses }, options);
    this.#pending.delete(id);
    this.#served += 1;
    use.end();
    this.#socket.send(`{"jsonrpc":"2.0","id":${JSON.stringify(id)},"${ok ? 'result' : 'error'}":${json}}`);
    streams.settle(ok);
    events.settle(ok);
    this.#socket.onAnswered();
  }

  #refuse(id: RequestId | null, error: BrokerError): void {
    this.#socket.send(JSON.stringify({ jsonrpc: '2.0', id, error: error.toWire() }));
  }
}

function isKeyed({ method, params }: RequestFrame): boolean {
  return isMethod(method) && contract[method].effect === 'write' && typeof params.idempotencyKey === 'string';
}

function isForOperators(method: string): boolean {
  return isMethod(method) && contract[method].scope === 'admin';
}
