import type { WebSocket } from 'ws';
import type { SeenSocket, SocketFacts, StreamFacts } from '../methods/operators/operator-view.js';
import { BrokerError } from '../protocol/errors.js';
import { decodeStreamFrame } from '../protocol/frames.js';
import { closeCodes, protocolLimits } from '../protocol/limits.js';
import { atMost } from '../runtime/wait.js';
import { ExpiryNotice } from './expiry-notice.js';
import { Outbox } from './outbox.js';
import { Requests } from './requests.js';
import { SocketEvents } from './socket-events.js';
import type { SocketOptions } from './socket-options.js';
import { SocketStreams } from './streams/streams.js';
import type { TenantUse } from './tenant-use.js';

/** Most milliseconds for which a socket is not read when a request was refused for its rate. */
const MOST_REST_MS = 50;
/** Milliseconds that a peer has to answer a close. */
const CLOSE_MS = 1000;
/** The content of the ping whose pong says that a peer has read that the broker drains. */
const DRAINING_PING = Buffer.from('draining');

/** The name of a socket: its id at this broker, and where it comes from. */
export interface SocketName {
  id: string;
  peer: string;
  /** Shard in the URL of its upgrade. */
  shard?: string | undefined;
}

/** One WebSocket of a tenant: its requests, streams and heartbeat. */
export class Socket implements SeenSocket {
  /** Id by which the log and operators know the socket. */
  readonly id: string;
  /** Shard of the users on it, where its URL tells one. */
  readonly shard: string | undefined;
  /** Keys of the accounts that were used on it. */
  readonly accounts = new Set<string>();
  readonly #peer: string;
  readonly #openedAt = performance.now();
  readonly #ws: WebSocket;
  readonly #use: TenantUse;
  readonly #options: SocketOptions;
  readonly #outbox: Outbox;
  readonly #streams: SocketStreams;
  readonly #events: SocketEvents;
  readonly #requests: Requests;
  readonly #heartbeat: NodeJS.Timeout;
  readonly #expiry = new ExpiryNotice((params) => this.notify('session.expiring', params));
  #alive = true;
  #rest: NodeJS.Timeout | undefined;
  #age: NodeJS.Timeout | undefined;
  #retiring = false;
  readonly #onIdle = new Set<() => void>();
  #deaf = false;
  #onDrainingRead: () => void = () => {};

  constructor(ws: WebSocket, name: SocketName, use: TenantUse, options: SocketOptions) {
    this.id = name.id;
    this.shard = name.shard;
    this.#peer = name.peer;
    const { limits, log } = options;
    this.#ws = ws;
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
    this.#requests = new Requests({
      id: this.id,
      use,
      streams: this.#streams,
      events: this.#events,
      options,
      uses: (session) => {
        this.accounts.add(session.accountKey);
        this.#expiry.check(session);
      },
      send: (json) => this.#outbox.text(json),
      close: (reason) => void this.close(reason),
      readLater: (ms) => this.#readLater(ms),
      onAnswered: () => this.#checkIdle(),
    });
    ws.on('message', (data: Buffer, isBinary: boolean) => this.#receive(data, isBinary));
    ws.on('ping', (data) => this.#outbox.pong(data));
    ws.on('pong', (data) => {
      this.#alive = true;
      if (data.equals(DRAINING_PING)) this.#onDrainingRead();
    });
    ws.on('error', (err) => log.debug({ err, socket: name.id }, 'socket error'));
    ws.once('close', (code) => this.#closed(code));
    this.#heartbeat = setInterval(() => this.#beat(), limits.now.heartbeatMs);
    this.#hello();
    log.debug({ socket: name.id, tenant: this.tenant }, 'socket opened');
  }

  /** Name of its tenant. */
  get tenant(): string {
    return this.#use.tenant.now.name;
  }

  /** Unanswered requests. */
  get running(): number {
    return this.#requests.running;
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
      tenant: this.tenant,
      peer: this.#peer,
      ageMs: Math.round(performance.now() - this.#openedAt),
      running: this.running,
      served: this.#requests.served,
      streams: this.#streams.open,
      bufferedBytes: this.#outbox.bufferedBytes,
      subscriber: this.#events,
    };
  }

  /** Whether the socket is for operators, without mail: it stays until the broker ends, to show how a drain goes. */
  get forOperators(): boolean {
    return !this.#use.tenant.now.scopes.includes('user');
  }

  get busy(): boolean {
    return this.running > 0 || this.#streams.open > 0;
  }

  notify(method: string, params: Record<string, unknown>): void {
    this.#outbox.text(JSON.stringify({ jsonrpc: '2.0', method, params }));
  }

  /**
   * Refuses new requests, waits until running ones are answered and streams have ended, then closes, but not before the
   * peer has read of the drain: requests sent until then are refused, so that their callers know what became of them.
   */
  async drain(graceMs: number): Promise<void> {
    this.#requests.drain();
    this.notify('broker.draining', { graceMs });
    await Promise.all([
      atMost(Math.min(graceMs, CLOSE_MS), (done) => {
        this.#onDrainingRead = done;
        this.#outbox.ping(DRAINING_PING);
      }),
      this.idle(graceMs),
    ]);
    await this.finish(0);
    await this.close(closeCodes.GOING_AWAY);
  }

  /**
   * Drains the socket when it has come of age. What runs has as long again: a download may take that.
   * @param onRetired called when the socket is closed
   */
  retireAfter(ageMs: number, onRetired: () => void): void {
    const retire = () => {
      this.#retiring = true;
      void this.drain(ageMs).then(onRetired);
    };
    this.#age = setTimeout(retire, ageMs * (1 - Math.random() / 2)).unref();
  }

  /** Whether the socket has come of age: its users are where the next socket is. */
  get retiring(): boolean {
    return this.#retiring;
  }

  /** Waits until running requests are answered and streams have ended; cancels those that are left with DRAINING. */
  async finish(graceMs: number): Promise<void> {
    await this.idle(graceMs);
    const stopped = new BrokerError('DRAINING', 'The broker stops, and this was not done in time.');
    this.#requests.cancelAll(stopped);
    this.#streams.abort(stopped);
    await this.idle(CLOSE_MS);
  }

  /** The broker stood still: cancels all that runs and waits, keyed writes as well, and closes without reading on. */
  async standStill(reason: BrokerError): Promise<void> {
    this.#deaf = true;
    this.abandon(reason);
    // Cancelled requests are answered in this very turn, as a rule: a client that still reads learns what was not done.
    await this.idle(CLOSE_MS);
    await this.close(closeCodes.STOOD_STILL);
  }

  /** Cancels all requests that run, also those that would have run on without the socket. */
  abandon(reason: BrokerError): void {
    this.#requests.cancelAll(reason);
    this.#streams.close(reason);
  }

  /** Closes with a code and cancels all but keyed writes; a peer that does not answer is cut off after a second. */
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
      this.#leave();
    });
  }

  #hello(): void {
    const { services } = this.#options;
    const limits = this.#options.limits.now;
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
    this.#options.standstill.check();
    // Frames that were under way when the broker closed the socket: their sender would get no answer.
    if (this.#deaf || this.#ws.readyState !== this.#ws.OPEN) return;
    // Behind a long upload on a slow line the pong comes late, but these bytes show a living peer as well.
    this.#alive = true;
    if (isBinary) this.#receiveBinary(data);
    else this.#requests.receive(data.toString('utf8'));
  }

  #receiveBinary(data: Buffer): void {
    try {
      this.#streams.receive(decodeStreamFrame(data));
    } catch (err) {
      this.#options.log.debug({ err, socket: this.id }, 'bad binary frame');
      void this.close(closeCodes.BAD_FRAME);
    }
  }

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

  #beat(): void {
    if (this.#alive) {
      this.#alive = false;
      this.#outbox.ping();
      return;
    }
    this.#ws.close(closeCodes.NO_PONG.code, closeCodes.NO_PONG.meaning);
    this.#ws.terminate();
  }

  /** Waits until nothing runs, for at most `ms` milliseconds. */
  async idle(ms: number): Promise<void> {
    if (!this.busy) return;
    await atMost(ms, (done) => this.#onIdle.add(done));
  }

  /** Resolves when nothing runs. */
  async answered(): Promise<void> {
    if (this.busy) await new Promise<void>((done) => this.#onIdle.add(done));
  }

  #checkIdle(): void {
    if (this.busy) return;
    for (const done of this.#onIdle) done();
    this.#onIdle.clear();
  }

  #leave(): void {
    const gone = new BrokerError('CANCELLED', 'The socket was closed.');
    this.#requests.leave(gone);
    this.#streams.close(gone);
  }

  #closed(code: number): void {
    clearInterval(this.#heartbeat);
    clearTimeout(this.#rest);
    clearTimeout(this.#age);
    this.#use.socketClosed();
    this.#leave();
    this.#events.close();
    this.#onDrainingRead();
    this.#options.log.debug({ socket: this.id, tenant: this.tenant, code }, 'socket closed');
  }
}
