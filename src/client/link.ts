import { contract, type MethodName } from '../protocol/contract.js';
import type { WireError } from '../protocol/errors.js';
import type { Hello, SessionExpiring, TraceEvent, WatchEnded, WatchEvent } from '../protocol/events.js';
import { decodeStreamFrame, encodeStreamFrame, isObject, StreamFrameType } from '../protocol/frames.js';
import { Download } from './download.js';
import { fromWire, type RpcError, rpcError } from './errors.js';
import type { Connect, Transport, TransportEnd } from './transport.js';
import { Upload } from './upload.js';

/** What becomes of one request. */
interface Pending {
  method: MethodName;
  onAnswer: ((result: unknown) => void) | undefined;
  resolve(result: unknown): void;
  reject(error: RpcError): void;
}

export interface LinkEvents {
  onHello(hello: Hello): void;
  onDraining(link: Link): void;
  onExpiring(expiring: SessionExpiring): void;
  onEvent(link: Link, event: WatchEvent): void;
  onWatchEnded(link: Link, ended: WatchEnded): void;
  onTrace(trace: TraceEvent): void;
  onClose(link: Link): void;
}

/** What a refused upgrade says for good: another try would be refused as well. */
const refusals: Record<number, 'INVALID_REQUEST' | 'UNAUTHENTICATED' | 'FORBIDDEN'> = {
  400: 'INVALID_REQUEST',
  401: 'UNAUTHENTICATED',
  403: 'FORBIDDEN',
};
/** Missed pings after which the broker is taken for dead. */
const MISSED_BEATS = 2.5;

/** One WebSocket to the broker with its requests and streams; the client makes another when it ends. */
export class Link {
  readonly opened: Promise<void>;
  readonly #transport: Transport;
  readonly #events: LinkEvents;
  readonly #pending = new Map<number, Pending>();
  readonly #downloads = new Map<number, Download>();
  readonly #uploads = new Map<number, Upload>();
  #resolveOpened!: () => void;
  #rejectOpened!: (error: RpcError) => void;
  #ids = 0;
  #uploadIds = -1;
  #closed = false;
  #retired = false;
  #watchdog: ReturnType<typeof setTimeout> | undefined;
  #silenceMs = 0;
  #heardAt = 0;
  #greeted = false;

  constructor(connect: Connect, target: { url: string; token?: string | undefined }, events: LinkEvents) {
    this.#events = events;
    this.opened = new Promise((resolve, reject) => {
      this.#resolveOpened = resolve;
      this.#rejectOpened = reject;
    });
    this.opened.catch(() => {});
    this.#transport = connect(target, {
      onOpen: () => {},
      onText: (text) => this.#receiveText(text),
      onBinary: (bytes) => this.#receiveBinary(bytes),
      onPing: () => this.#alive(),
      onClose: (end) => this.#ended(end),
    });
  }

  /** Whether new requests may go here. */
  get usable(): boolean {
    return !this.#closed && !this.#retired;
  }

  /** Whether they may go here at once: the broker has said hello. */
  get ready(): boolean {
    return this.#greeted && this.usable;
  }

  /**
   * Sends a request; answers its id for {@link cancel}, and its outcome.
   * @param onAnswer called with the result before any frame behind it is read
   */
  request(
    method: MethodName,
    params: Record<string, unknown>,
    onAnswer?: (result: unknown) => void,
  ): { id: number; answer: Promise<unknown> } {
    this.#ids += 1;
    const id = this.#ids;
    const answer = new Promise<unknown>((resolve, reject) =>
      this.#pending.set(id, { method, onAnswer, resolve, reject }),
    );
    this.#sendJson({ jsonrpc: '2.0', id, method, params });
    return { id, answer };
  }

  cancel(id: number): void {
    if (this.#pending.has(id)) this.#sendJson({ jsonrpc: '2.0', method: '$/cancelRequest', params: { id } });
  }

  /** A new upload; its frames go out when it is run. */
  upload(content: ReadableStream<Uint8Array>): Upload {
    this.#uploadIds += 2;
    const id = this.#uploadIds;
    const upload = new Upload(id, content, { send: (frame) => this.#send(frame) });
    this.#uploads.set(id, upload);
    return upload;
  }

  endUpload(upload: Upload): void {
    upload.stop();
    this.#uploads.delete(upload.id);
    this.#closeIfDone();
  }

  /** The stream that an answer named. */
  download(id: number): Download | undefined {
    return this.#downloads.get(id);
  }

  /** Takes no new requests and closes when what runs is done. */
  retire(): void {
    this.#retired = true;
    this.#closeIfDone();
  }

  close(): void {
    this.#retired = true;
    this.#transport.close();
  }

  #receiveText(text: string): void {
    this.#alive();
    const frame: unknown = JSON.parse(text);
    if (!isObject(frame)) return;
    if (typeof frame.method === 'string') this.#receiveNotification(frame.method, frame.params);
    else if (typeof frame.id === 'number') this.#receiveAnswer(frame.id, frame);
  }

  #receiveAnswer(id: number, frame: Record<string, unknown>): void {
    const pending = this.#pending.get(id);
    if (!pending) return;
    this.#pending.delete(id);
    if (frame.error) {
      pending.reject(fromWire(frame.error as WireError));
    } else {
      // Made here and now, for the first frame may be right behind the answer.
      const stream = isObject(frame.result) ? frame.result.stream : undefined;
      if (typeof stream === 'number') this.#openDownload(stream);
      pending.onAnswer?.(frame.result);
      pending.resolve(frame.result);
    }
    this.#closeIfDone();
  }

  #openDownload(id: number): void {
    const wire = {
      credit: (bytes: number) => this.#sendJson({ jsonrpc: '2.0', method: '$/credit', params: { stream: id, bytes } }),
      abort: () => this.#send(encodeStreamFrame(StreamFrameType.ABORT, id)),
    };
    const download = new Download(wire, () => {
      this.#downloads.delete(id);
      this.#closeIfDone();
    });
    this.#downloads.set(id, download);
  }

  #receiveNotification(method: string, params: unknown): void {
    if (method === 'broker.hello') {
      const hello = params as Hello;
      this.#silenceMs = hello.heartbeatMs * MISSED_BEATS;
      this.#alive();
      this.#greeted = true;
      this.#events.onHello(hello);
      this.#resolveOpened();
    } else if (method === 'session.expiring') {
      this.#events.onExpiring(params as SessionExpiring);
    } else if (method === 'event') {
      this.#events.onEvent(this, params as WatchEvent);
    } else if (method === 'watch.ended') {
      this.#events.onWatchEnded(this, params as WatchEnded);
    } else if (method === 'trace') {
      this.#events.onTrace(params as TraceEvent);
    } else if (method === 'broker.draining') {
      this.#retired = true;
      this.#events.onDraining(this);
      this.#closeIfDone();
    } else if (method === '$/credit' && isObject(params)) {
      this.#uploads.get(Number(params.stream))?.addCredit(Number(params.bytes));
    }
  }

  #receiveBinary(bytes: Uint8Array): void {
    this.#alive();
    const frame = decodeStreamFrame(bytes);
    this.#downloads.get(frame.stream)?.receive(frame);
    if (frame.type === StreamFrameType.ABORT) this.#uploads.get(frame.stream)?.stop();
  }

  #closeIfDone(): void {
    const busy = this.#pending.size + this.#downloads.size + this.#uploads.size > 0;
    if (this.#retired && !busy && !this.#closed) this.#transport.close();
  }

  /** Only a note: a timer for each frame would cost more than reading it. */
  #alive(): void {
    this.#heardAt = performance.now();
    if (this.#silenceMs > 0 && !this.#closed) this.#watchdog ??= this.#watch(this.#silenceMs);
  }

  #watch(ms: number): ReturnType<typeof setTimeout> {
    return setTimeout(() => {
      const leftMs = this.#heardAt + this.#silenceMs - performance.now();
      if (leftMs > 0) this.#watchdog = this.#watch(leftMs);
      else this.#transport.terminate();
    }, ms);
  }

  #ended({ code, refused, complaint }: TransportEnd): void {
    this.#closed = true;
    clearTimeout(this.#watchdog);
    const why = refused === undefined ? (complaint ?? `close code ${code}`) : `HTTP status ${refused}`;
    const message = `The socket to the broker ended: ${why}.`;
    const error = rpcError(message, { kind: refusals[refused ?? 0] ?? 'CONNECTION_LOST', executed: 'no' });
    this.#rejectOpened(error);
    for (const { method, reject } of this.#pending.values()) {
      const executed = contract[method].effect === 'write' ? 'maybe' : 'no';
      reject(rpcError(message, { kind: 'CONNECTION_LOST', executed }));
    }
    this.#pending.clear();
    for (const download of [...this.#downloads.values()]) download.fail(error);
    for (const upload of this.#uploads.values()) upload.stop();
    this.#events.onClose(this);
  }

  #sendJson(frame: unknown): void {
    this.#send(JSON.stringify(frame));
  }

  #send(frame: string | Uint8Array): void {
    if (!this.#closed) this.#transport.send(frame);
  }
}
