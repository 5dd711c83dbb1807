import type { WebSocket } from 'ws';
import { BrokerError } from '../protocol/errors.js';
import { notifications } from '../protocol/events.js';
import { decodeRequest, decodeStreamFrame, type RequestFrame, type RequestId, salvageId } from '../protocol/frames.js';
import { closeCodes, protocolLimits } from '../protocol/limits.js';
import type { Tenant } from '../session/tenant.js';
import { type Answer, type DispatchOptions, dispatch } from './dispatch.js';
import type { SocketLimits } from './limits.js';
import { SocketStreams } from './streams.js';

/** Refused frames after which a peer is taken for broken and the socket is closed with 4400. */
const BAD_FRAMES = 20;

export interface SocketOptions extends DispatchOptions {
  limits: SocketLimits;
}

/** One WebSocket of a tenant: its requests, streams and heartbeat. */
export class Socket {
  readonly #ws: WebSocket;
  readonly #tenant: Tenant;
  readonly #options: SocketOptions;
  readonly #streams: SocketStreams;
  readonly #pending = new Map<RequestId, AbortController>();
  readonly #heartbeat: NodeJS.Timeout;
  #alive = true;
  #draining = false;
  #badFrames = 0;
  #onIdle: (() => void) | undefined;

  constructor(ws: WebSocket, tenant: Tenant, options: SocketOptions) {
    this.#ws = ws;
    this.#tenant = tenant;
    this.#options = options;
    this.#streams = new SocketStreams({
      sendBinary: (frame) => this.#sendBinary(frame),
      notify: (method, params) => this.notify(method, params),
      limits: options.limits,
    });
    ws.on('message', (data: Buffer, isBinary: boolean) => this.#receive(data, isBinary));
    ws.on('pong', () => {
      this.#alive = true;
    });
    ws.on('error', (err) => options.log.debug({ err }, 'socket error'));
    ws.once('close', () => this.#closed());
    this.#heartbeat = setInterval(() => this.#beat(), options.limits.heartbeatMs);
    this.#hello();
  }

  get busy(): boolean {
    return this.#pending.size > 0 || this.#streams.open > 0;
  }

  notify(method: string, params: Record<string, unknown>): void {
    this.#sendText(JSON.stringify({ jsonrpc: '2.0', method, params }));
  }

  /** Refuses new requests, waits until running ones are answered and streams have ended, then closes. */
  async drain(graceMs: number): Promise<void> {
    this.#draining = true;
    this.notify('broker.draining', { graceMs });
    let timer: NodeJS.Timeout | undefined;
    if (this.busy) {
      await new Promise<void>((resolve) => {
        this.#onIdle = resolve;
        timer = setTimeout(resolve, graceMs);
      });
    }
    clearTimeout(timer);
    await this.close(closeCodes.GOING_AWAY);
  }

  /** Closes with a code; a peer that does not answer is cut off after a second. */
  async close(reason: { code: number; meaning: string }): Promise<void> {
    if (this.#ws.readyState === this.#ws.CLOSED) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(() => this.#ws.terminate(), 1000);
      this.#ws.once('close', () => {
        clearTimeout(timer);
        resolve();
      });
      this.#ws.close(reason.code, reason.meaning.slice(0, 120));
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
    if (isBinary) this.#receiveBinary(data);
    else this.#receiveText(data.toString('utf8'));
  }

  #receiveBinary(data: Buffer): void {
    try {
      this.#streams.receive(decodeStreamFrame(data));
    } catch (error) {
      this.#options.log.debug({ err: error }, 'bad binary frame');
      void this.close(closeCodes.BAD_FRAME);
    }
  }

  #receiveText(text: string): void {
    let frame: RequestFrame;
    try {
      frame = decodeRequest(text);
    } catch (error) {
      this.#refuse(salvageId(text), error as BrokerError);
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
      this.#refuse(
        id,
        new BrokerError('INVALID_REQUEST', 'id: a request with it is not answered yet.', { field: 'id' }),
      );
    } else if (this.#pending.size >= pendingRequests) {
      const message = `This socket has ${pendingRequests} unanswered requests already.`;
      this.#refuse(id, new BrokerError('RATE_LIMITED', message, { retryAfterMs: 1000 }));
    } else if (this.#draining) {
      this.#refuse(id, new BrokerError('DRAINING', 'The broker is about to stop.'));
    } else {
      void this.#answer(id, frame);
    }
  }

  async #answer(id: RequestId, frame: RequestFrame): Promise<void> {
    const controller = new AbortController();
    this.#pending.set(id, controller);
    const streams = this.#streams.forRequest();
    const caller = { tenant: this.#tenant, streams, signal: controller.signal };
    const answer: Answer = await dispatch(frame, caller, this.#options);
    this.#pending.delete(id);
    this.#sendText(JSON.stringify({ jsonrpc: '2.0', id, ...answer }));
    streams.settle('result' in answer);
    this.#checkIdle();
  }

  #refuse(id: RequestId | null, error: BrokerError): void {
    this.#sendText(JSON.stringify({ jsonrpc: '2.0', id, error: error.toWire() }));
  }

  #sendText(text: string): void {
    if (this.#ws.readyState !== this.#ws.OPEN) return;
    this.#ws.send(text);
    if (this.#ws.bufferedAmount > this.#options.limits.closeAboveBytes) this.#ws.terminate();
  }

  /** Resolves at once while little waits to be sent, else when this frame has left. */
  #sendBinary(frame: Uint8Array): Promise<void> {
    if (this.#ws.readyState !== this.#ws.OPEN) return Promise.reject(goneError());
    return new Promise((resolve, reject) => {
      this.#ws.send(frame, (error) => (error ? reject(goneError()) : resolve()));
      if (this.#ws.bufferedAmount < this.#options.limits.pauseAboveBytes) resolve();
    });
  }

  #beat(): void {
    if (!this.#alive) {
      this.#ws.close(closeCodes.NO_PONG.code, closeCodes.NO_PONG.meaning);
      this.#ws.terminate();
      return;
    }
    this.#alive = false;
    this.#ws.ping();
    this.#checkIdle();
  }

  #checkIdle(): void {
    if (!this.busy) this.#onIdle?.();
  }

  #closed(): void {
    clearInterval(this.#heartbeat);
    const gone = goneError();
    for (const controller of this.#pending.values()) controller.abort(gone);
    this.#streams.close(gone);
    this.#onIdle?.();
  }
}

function goneError(): BrokerError {
  return new BrokerError('CANCELLED', 'The socket was closed.');
}
