import type { WebSocket } from 'ws';
import type { SeenSocket, SocketFacts, StreamFacts } from '../methods/inside.js';
import { contract } from '../protocol/contract.js';
import { BrokerError } from '../protocol/errors.js';
import { notifications } from '../protocol/events.js';
import { decodeRequest, decodeStreamFrame, type RequestFrame, type RequestId, salvageId } from '../protocol/frames.js';
import { closeCodes, protocolLimits } from '../protocol/limits.js';
import type { Session } from '../session/session.js';
import type { Tenant } from '../session/tenant.js';
import { type DispatchOptions, dispatch, isMethod } from './dispatch.js';
import { ExpiryNotice } from './expiry-notice.js';
import type { SocketLimits } from './limits.js';
import { Outbox } from './outbox.js';
import { SocketEvents } from './socket-events.js';
import { SocketStreams } from './streams.js';
import type { TenantUse } from './tenant-use.js';
import { TokenBucket } from './token-bucket.js';

/** Refused frames after which a peer is taken for broken and the socket is closed with 4400. */
const BAD_FRAMES = 20;
/** Requests refused with RATE_LIMITED that a socket may have at once, and a second, before it is closed with 4429. */
const REFUSALS = 2_000;
const REFUSALS_PER_SECOND = 100;
/** Milliseconds for which a socket is not read at most when a request was refused for its rate. */
const MOST_REST_MS = 50;
/** Milliseconds that a peer has to answer a close. */
const CLOSE_MS = 1000;

export interface SocketOptions extends DispatchOptions {
  limits: SocketLimits;
}

/** Which socket it is: its id at this broker, and where it comes from. */
export interface SocketName {
  id: string;
  peer: string;
}

/** One WebSocket of a tenant: its requests, streams and heartbeat. */
export class Socket implements SeenSocket {
  /** As the log and operators know it. */
  readonly id: string;
  readonly #peer: string;
  readonly #openedAt = performance.now();
  #served = 0;
  readonly #ws: WebSocket;
  readonly #tenant: Tenant;
  readonly #use: TenantUse;
  readonly #options: SocketOptions;
  readonly #outbox: Outbox;
  readonly #streams: SocketStreams;
  readonly #events: SocketEvents;
  readonly #pending = new Map<RequestId, AbortController>();
  readonly #heartbeat: NodeJS.Timeout;
  readonly #expiry = new ExpiryNotice((params) => this.notify('session.expiring', params));
  #alive = true;
  #draining = false;
  #badFrames = 0;
  readonly #refusals = new TokenBucket(REFUSALS_PER_SECOND, REFUSALS);
  #rest: NodeJS.Timeout | undefined;
  #onIdle: () => void = () => {};

  constructor(ws: WebSocket, name: SocketName, tenant: Tenant, use: TenantUse, options: SocketOptions) {
    this.id = name.id;
    this.#peer = name.peer;
    const { limits, log } = options;
    this.#ws = ws;
    this.#tenant = tenant;
    this.#use = use;
    use.socketOpened();
    this.#options = options;
    this.#outbox = new Outbox(ws, limits, () => this.#streams.progress());
    this.#streams = new SocketStreams({
      sendBinary: (frame, onSent) => this.#outbox.binary(frame, onSent),
      hasRoom: () => this.#outbox.hasRoom,
      notify: (method, params) => this.notify(method, params),
      begin: () => use.beginStream(),
      ended: () => {
        use.endStream();
        this.#checkIdle();
      },
      unexpected: (err) => log.error({ err, socket: name.id }, 'stream failed'),
      limits,
    });
    this.#events = new SocketEvents({
      send: (frame) => this.#outbox.text(frame),
      overrun: () => void this.close(closeCodes.OVERLOAD),
    });
    ws.on('message', (data: Buffer, isBinary: boolean) => this.#receive(data, isBinary));
    ws.on('ping', (data) => this.#outbox.pong(data));
    ws.on('pong', () => {
      this.#alive = true;
    });
    ws.on('error', (err) => log.debug({ err, socket: name.id }, 'socket error'));
    ws.once('close', (code) => this.#closed(code));
    this.#heartbeat = setInterval(() => this.#beat(), limits.heartbeatMs);
    this.#hello();
    log.debug({ socket: name.id, tenant: tenant.name }, 'socket opened');
  }

  /** Name of its tenant. */
  get tenant(): string {
    return this.#tenant.name;
  }

  /** Unanswered requests. */
  get running(): number {
    return this.#pending.size;
  }

  get openStreams(): number {
    return this.#streams.open;
  }

  get streams(): StreamFacts[] {
    return this.#streams.facts;
  }

  get facts(): SocketFacts {
    return {
      id: this.id,
      tenant: this.#tenant.name,
      peer: this.#peer,
      ageMs: Math.round(performance.now() - this.#openedAt),
      running: this.running,
      served: this.#served,
      streams: this.#streams.open,
      bufferedBytes: this.#outbox.bufferedBytes,
      subscriber: this.#events,
    };
  }

  /** Whether nobody's mail is asked for here: it stays until the broker ends, to show how that goes. */
  get forOperators(): boolean {
    return !this.#tenant.scopes.includes('user');
  }

  get busy(): boolean {
    return this.#pending.size > 0 || this.#streams.open > 0;
  }

  notify(method: string, params: Record<string, unknown>): void {
    this.#outbox.text(JSON.stringify({ jsonrpc: '2.0', method, params }));
  }

  /** Refuses new requests, waits until running ones are answered and streams have ended, then closes. */
  async drain(graceMs: number): Promise<void> {
    this.#draining = true;
    this.notify('broker.draining', { graceMs });
    if (this.busy) {
      let timer: NodeJS.Timeout | undefined;
      await new Promise<void>((resolve) => {
        this.#onIdle = resolve;
        timer = setTimeout(resolve, graceMs);
      });
      clearTimeout(timer);
    }
    await this.close(closeCodes.GOING_AWAY);
  }

  /** Closes with a code, which cancels what runs; a peer that does not answer is cut off after a second. */
  async close(reason: { code: number; meaning: string }): Promise<void> {
    if (this.#ws.readyState === this.#ws.CLOSED) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(() => this.#ws.terminate(), CLOSE_MS);
      this.#ws.once('close', () => {
        clearTimeout(timer);
        resolve();
      });
      this.#ws.close(reason.code, reason.meaning);
      // The peer's answer must be read.
      this.#ws.resume();
      this.#cancelAll();
    });
  }

  #hello(): void {
    const { limits, services } = this.#options;
    this.notify('broker.hello', {
      version: services.version,
      epoch: services.epoch,
      heartbeatMs: limits.heartbeatMs,
      limits: {
        frameBytes: limits.frameBytes,
        pendingRequests: limits.pendingRequests,
        streams: limits.streams,
        defaultTimeoutMs: limits.defaultTimeoutMs,
        streamInitialCreditBytes: protocolLimits.streamInitialCreditBytes,
        streamPayloadBytes: protocolLimits.streamPayloadBytes,
        streamStallMs: limits.streamStallMs,
      },
    });
  }

  #receive(data: Buffer, isBinary: boolean): void {
    // What was under way when the broker closed: nobody would get an answer.
    if (this.#ws.readyState !== this.#ws.OPEN) return;
    // Behind a long upload on a slow line the pong comes late, but these bytes show a living peer as well.
    this.#alive = true;
    if (isBinary) this.#receiveBinary(data);
    else this.#receiveText(data.toString('utf8'));
  }

  #receiveBinary(data: Buffer): void {
    try {
      this.#streams.receive(decodeStreamFrame(data));
    } catch (err) {
      this.#options.log.debug({ err, socket: this.id }, 'bad binary frame');
      void this.close(closeCodes.BAD_FRAME);
    }
  }

  #receiveText(text: string): void {
    let frame: RequestFrame;
    try {
      frame = decodeRequest(text);
    } catch (error) {
      const id = salvageId(text);
      this.#refuse(id !== null && this.#pending.has(id) ? null : id, error as BrokerError);
      this.#badFrames += 1;
      if (this.#badFrames > BAD_FRAMES) void this.close(closeCodes.BAD_FRAME);
      return;
    }
    if (frame.id === undefined) this.#receiveNotification(frame);
    else this.#receiveRequest(frame.id, frame);
  }

  #receiveNotification({ method, params }: RequestFrame): void {
    if (method === '$/cancelRequest') {
      const parsed = notifications['$/cancelRequest'].params.safeParse(params);
      const cancelled = new BrokerError('CANCELLED', 'The caller cancelled the request.');
      if (parsed.success) this.#pending.get(parsed.data.id)?.abort(cancelled);
    } else if (method === '$/credit') {
      const parsed = notifications['$/credit'].params.safeParse(params);
      if (parsed.success) this.#streams.credit(parsed.data.stream, parsed.data.bytes);
    }
  }

  #receiveRequest(id: RequestId, frame: RequestFrame): void {
    const { pendingRequests } = this.#options.limits;
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
        this.#use.begin();
      } catch (error) {
        this.#limit(id, frame, error as BrokerError);
        return;
      }
      void this.#answer(id, frame);
    }
  }

  /** Refuses what is too much, and a peer that does not care. */
  #limit(id: RequestId, frame: RequestFrame, error: BrokerError): void {
    this.#turnAway(id, frame, error);
    if (this.#refusals.take() > 0) void this.close(closeCodes.FLOOD);
    else this.#readLater(error.retryAfterMs ?? 0);
  }

  /** What would only be refused waits at its sender: refusing it costs others as much as a small answer. */
  #readLater(ms: number): void {
    if (this.#rest) return;
    this.#ws.pause();
    this.#rest = setTimeout(
      () => {
        this.#rest = undefined;
        this.#ws.resume();
      },
      Math.min(ms, MOST_REST_MS),
    );
  }

  /** Refuses a request for which there is no room, whatever it asks for. */
  #turnAway(id: RequestId, { method }: RequestFrame, error: BrokerError): void {
    this.#refuse(id, error);
    this.#options.answered.tell({
      method: isMethod(method) ? method : undefined,
      tenant: this.#tenant.name,
      account: undefined,
      ms: 0,
      outcome: error.kind,
      source: undefined,
    });
  }

  async #answer(id: RequestId, frame: RequestFrame): Promise<void> {
    const controller = new AbortController();
    this.#pending.set(id, controller);
    const streams = this.#streams.forRequest(frame.method);
    const events = this.#events.forRequest();
    const caller = {
      tenant: this.#tenant,
      socket: this.id,
      streams,
      events,
      controller,
      uses: (session: Session) => this.#expiry.check(session),
    };
    const { ok, json } = await dispatch(frame, caller, this.#options);
    this.#pending.delete(id);
    this.#served += 1;
    this.#use.end();
    this.#outbox.text(`{"jsonrpc":"2.0","id":${JSON.stringify(id)},"${ok ? 'result' : 'error'}":${json}}`);
    streams.settle(ok);
    events.settle(ok);
    this.#checkIdle();
  }

  #refuse(id: RequestId | null, error: BrokerError): void {
    this.#outbox.text(JSON.stringify({ jsonrpc: '2.0', id, error: error.toWire() }));
  }

  #beat(): void {
    if (this.#alive) {
      this.#alive = false;
      this.#outbox.ping();
      return;
    }
    this.#ws.close(closeCodes.NO_PONG.code, closeCodes.NO_PONG.meaning);
    this.#ws.terminate();
  }

  #checkIdle(): void {
    if (!this.busy) this.#onIdle();
  }

  #cancelAll(): void {
    const gone = new BrokerError('CANCELLED', 'The socket was closed.');
    for (const controller of this.#pending.values()) controller.abort(gone);
    this.#streams.close(gone);
  }

  #closed(code: number): void {
    clearInterval(this.#heartbeat);
    clearTimeout(this.#rest);
    this.#use.socketClosed();
    this.#cancelAll();
    this.#events.close();
    this.#onIdle();
    this.#options.log.debug({ socket: this.id, tenant: this.#tenant.name, code }, 'socket closed');
  }
}

function isForOperators(method: string): boolean {
  return isMethod(method) && contract[method].scope === 'admin';
}
