import { closeCodes } from '../protocol/limits.js';
import { boundedMs } from './backoff.js';
import { fromWire, type RpcError, rpcError } from './errors.js';
import type { Hello, SessionExpiring, TraceEvent, WatchEnded, WatchEvent } from './generated/events.js';
import type { MethodName } from './generated/methods.js';
import { isStreaming } from './methods.js';
import { type Pending, Requests } from './requests.js';
import { inlineBody } from './streams/download.js';
import { type Answer, type Notification, readBinary, readText, refuseFrame, Violation } from './streams/incoming.js';
import { type Carried, wrongResult } from './streams/received.js';
import { Streams } from './streams/streams.js';
import type { Upload } from './streams/upload.js';
import type { Connect, Transport, TransportEnd } from './transport.js';

export interface LinkEvents {
  onHello(hello: Hello): void;
  onDraining(link: Link): void;
  onExpiring(expiring: SessionExpiring): void;
  onEvent(link: Link, event: WatchEvent): void;
  onWatchEnded(link: Link, ended: WatchEnded): void;
  onTrace(trace: TraceEvent): void;
  /** Called once. @param kind of the errors that its requests got */
  onClose(link: Link, kind: RpcError['kind']): void;
}

/** HTTP statuses of an upgrade that is refused for good: a retry would be refused as well. */
const refusals: Record<number, 'INVALID_REQUEST' | 'UNAUTHENTICATED' | 'FORBIDDEN'> = {
  400: 'INVALID_REQUEST',
  401: 'UNAUTHENTICATED',
  403: 'FORBIDDEN',
};
/** Missed pings after which the broker is taken for dead. */
const MISSED_BEATS = 2.5;
/** Milliseconds for the hello, and until then for any sign of life. */
const HELLO_MS = 10_000;
/** Unsent bytes above which uploads wait. */
const ROOM_BYTES = 1024 * 1024;

/** One WebSocket to the broker with its requests and streams; the client makes another when it ends. */
export class Link {
  readonly opened: Promise<void>;
  readonly #transport: Transport;
  readonly #events: LinkEvents;
  readonly #requests = new Requests();
  readonly #streams = new Streams({
    sendJson: (frame) => this.#sendJson(frame),
    send: (frame) => this.#send(frame),
    sendPaced: (frame) => this.#sendPaced(frame),
    onEnd: () => this.#closeIfDone(),
  });
  #resolveOpened!: () => void;
  #rejectOpened!: (error: RpcError) => void;
  #greeted = false;
  #served = false;
  #retired = false;
  #closed = false;
  #watchdog: ReturnType<typeof setTimeout> | undefined;
  #silenceMs = HELLO_MS;
  #heardAt = 0;

  constructor(connect: Connect, target: { url: string; token?: string | undefined }, events: LinkEvents) {
    this.#events = events;
    this.opened = new Promise((resolve, reject) => {
      this.#resolveOpened = resolve;
      this.#rejectOpened = reject;
    });
    this.opened.catch(() => {});
    this.#transport = connect(target, {
      onOpen: () => this.#listen(HELLO_MS),
      onText: (text) => this.#guard(() => this.#receiveText(text)),
      onBinary: (bytes) => this.#guard(() => this.#receiveBinary(bytes)),
      onPing: () => {
        // Before the hello a ping does not count as a sign of life.
        if (this.#greeted) this.#heardAt = performance.now();
      },
      onClose: (end) => this.#ended(end),
    });
  }

  /** Whether new requests may go here. */
  get usable(): boolean {
    return !this.#closed && !this.#retired;
  }

  /** Whether new requests may go here at once: the broker has said hello. */
  get ready(): boolean {
    return this.#greeted && this.usable;
  }

  /** Whether the broker has said hello. */
  get greeted(): boolean {
    return this.#greeted;
  }

  /** Whether the broker has answered a request here, and has not broken the protocol. */
  get served(): boolean {
    return this.#served;
  }

  /**
   * Sends a request; answers its id for {@link cancel} and {@link abandon}, and its outcome.
   * @param onAnswer called with the result before any frame behind it is read
   */
  request(
    method: MethodName,
    params: Record<string, unknown>,
    onAnswer?: (result: unknown) => void,
  ): { id: number; answer: Promise<unknown> } {
    const { id, answer } = this.#requests.begin(method, onAnswer);
    try {
      this.#sendJson({ jsonrpc: '2.0', id, method, params });
    } catch (error) {
      // The params are no JSON, and nothing was sent.
      this.#requests.answered(id);
      throw error;
    }
    return { id, answer };
  }

  /** The caller gives up, and waits for the broker's answer. */
  cancel(id: number): void {
    if (this.#requests.cancel(id)) this.#sendJson({ jsonrpc: '2.0', method: '$/cancelRequest', params: { id } });
  }

  /** The caller has gone: the answer to its request is dropped. */
  abandon(id: number): void {
    this.#guard(() => this.#requests.abandon(id));
    this.#closeIfDone();
  }

  /** A new upload; its frames go out when the upload is run. */
  upload(content: ReadableStream<Uint8Array>): Upload {
    return this.#streams.upload(content);
  }

  endUpload(upload: Upload): void {
    this.#streams.endUpload(upload);
  }

  /** Takes no new requests and closes when what runs is done. */
  retire(): void {
    this.#retired = true;
    this.#closeIfDone();
  }

  /** Ends all that is under way. */
  close(): void {
    this.#finish('the client was closed', 'CANCELLED');
    this.#transport.close();
  }

  /** Whatever the broker sends, no error is thrown into the event loop: an error ends this socket. */
  #guard(work: () => void): void {
    if (this.#closed) return;
    try {
      work();
    } catch (error) {
      const { message } = error as Error;
      this.#served = false;
      this.#finish(error instanceof Violation ? `the broker sent ${message}` : `a frame cannot be handled: ${message}`);
      this.#transport.terminate(closeCodes.BAD_FRAME.code);
    }
  }

  #receiveText(text: string): void {
    this.#heardAt = performance.now();
    const frame = readText(text);
    const isHello = frame !== undefined && 'notification' in frame && frame.notification === 'broker.hello';
    if (isHello === this.#greeted) throw new Violation(isHello ? 'a second hello' : 'something else before its hello');
    if (!frame) return;
    if ('notification' in frame) this.#receiveNotification(frame);
    else this.#receiveAnswer(frame);
  }

  #receiveAnswer(answer: Answer): void {
    const { id } = answer;
    const request = this.#requests.get(id);
    if ('error' in answer) {
      request.reject(fromWire(answer.error));
    } else {
      refuseFrame(`an answer to ${request.method}`, wrongResult(request.method, answer.result));
      if (isStreaming(request.method)) this.#handOver(request, answer.result as unknown as Carried);
      else request.resolve(answer.result);
      request.onAnswer?.(answer.result);
    }
    this.#requests.answered(id);
    this.#served = true;
    this.#closeIfDone();
  }

  /** The stream goes to the caller with the answer: its first bytes, and its end, may be right behind that. */
  #handOver({ cancelled, abandoned, resolve, reject }: Pending, { stream, data, ...rest }: Carried): void {
    if (stream === null) {
      resolve({ ...rest, body: inlineBody(data) });
      return;
    }
    const download = this.#streams.download(stream);
    if (cancelled || abandoned) {
      download.drop();
      reject(rpcError('The caller cancelled the request.', { kind: 'CANCELLED', executed: 'no' }));
    } else {
      resolve({ ...rest, body: download.body });
    }
  }

  #receiveNotification({ notification, params }: Notification): void {
    if (notification === 'broker.hello') this.#greet(params);
    else if (notification === 'session.expiring') this.#events.onExpiring(params);
    else if (notification === 'event') this.#events.onEvent(this, params);
    else if (notification === 'watch.ended') this.#events.onWatchEnded(this, params);
    else if (notification === 'trace') this.#events.onTrace(params);
    else if (notification === '$/credit') this.#streams.credit(params.stream, params.bytes);
    else this.#drain();
  }

  #greet(hello: Hello): void {
    if (hello.heartbeatMs < 1) throw new Violation('a hello with a heartbeat of no length');
    this.#greeted = true;
    this.#listen(hello.heartbeatMs * MISSED_BEATS);
    this.#events.onHello(hello);
    this.#resolveOpened();
  }

  #drain(): void {
    this.#retired = true;
    this.#events.onDraining(this);
    this.#closeIfDone();
  }

  #receiveBinary(bytes: Uint8Array): void {
    this.#heardAt = performance.now();
    this.#streams.receive(readBinary(bytes));
  }

  #closeIfDone(): void {
    const busy = this.#requests.live + this.#streams.open > 0;
    if (this.#retired && !busy && !this.#closed) this.#transport.close();
  }

  /** From now on the broker may be silent for `silenceMs`. */
  #listen(silenceMs: number): void {
    if (this.#closed) return;
    this.#silenceMs = boundedMs(silenceMs);
    this.#heardAt = performance.now();
    clearTimeout(this.#watchdog);
    this.#watch(this.#silenceMs);
  }

  /** The time of each frame is only noted: a timer for each frame would cost more than reading the frame. */
  #watch(ms: number): void {
    this.#watchdog = setTimeout(() => {
      const leftMs = this.#heardAt + this.#silenceMs - performance.now();
      if (leftMs > 0) {
        this.#watch(leftMs);
        return;
      }
      this.#finish(this.#greeted ? 'the broker fell silent' : 'the broker said no hello');
      this.#transport.terminate();
    }, ms);
  }

  #ended({ code, refused, cause, malformed }: TransportEnd): void {
    if (malformed) this.#served = false;
    const why = refused === undefined ? (cause && reasonOf(cause)) || `close code ${code}` : `HTTP status ${refused}`;
    this.#finish(why, refusals[refused ?? 0], cause);
  }

  #finish(why: string, kind: RpcError['kind'] = 'CONNECTION_LOST', cause?: Error): void {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#watchdog);
    const message = `The socket to the broker ${this.#greeted ? 'ended' : 'did not open'}: ${why}.`;
    const error = rpcError(message, { kind, executed: 'no', cause });
    this.#rejectOpened(error);
    this.#requests.fail(kind, message);
    this.#streams.fail(error);
    this.#events.onClose(this, kind);
  }

  #sendJson(frame: unknown): void {
    this.#send(JSON.stringify(frame));
  }

  #send(frame: string | Uint8Array): void {
    if (!this.#closed) this.#transport.send(frame);
  }

  #sendPaced(frame: Uint8Array): Promise<void> | undefined {
    if (this.#closed) return undefined;
    if (this.#transport.bufferedBytes >= ROOM_BYTES) {
      return new Promise((resolve) => this.#transport.send(frame, resolve));
    }
    this.#transport.send(frame);
    return undefined;
  }
}

/** Where several addresses of a name were tried, the reasons of all of them, which Node puts below an error without words. */
function reasonOf(cause: Error): string {
  const { errors } = cause as { errors?: readonly unknown[] };
  // That of OpenSSL ends with a line end.
  if (cause.message !== '' || !Array.isArray(errors)) return cause.message.trim();
  return [...new Set(errors.map((one) => (one instanceof Error ? one.message : String(one))))].join(', ');
}
