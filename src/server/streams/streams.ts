import type { IncomingStream, OutgoingStream, Streams } from '../../methods/context.js';
import type { StreamFacts } from '../../methods/operators/operator-view.js';
import { BrokerError } from '../../protocol/errors.js';
import { encodeStreamFrame, type StreamFrame, StreamFrameType } from '../../protocol/frames.js';
import type { Current } from '../../runtime/live.js';
import { Upload } from './incoming-stream.js';
import { CreditedStream } from './outgoing-stream.js';

/** What the streams need of their socket. */
export interface StreamSocket {
  /** Calls back when the frame has left and its memory may be used again. */
  sendBinary(frame: Uint8Array, onSent?: () => void): void;
  hasRoom(): boolean;
  notify(method: string, params: Record<string, unknown>): void;
  /** A stream is about to begin. @throws BrokerError RATE_LIMITED */
  begin(): void;
  /** A stream ended. */
  ended(): void;
  /** A stream was aborted by a defect, which the caller is not told. */
  unexpected(error: unknown): void;
  limits: Current<{ streams: number; streamStallMs: number }>;
}

/** The streams of one request. */
export interface RequestStreams extends Streams {
  /** The request was answered, with a result or not: its downloads begin or vanish, its uploads end. */
  settle(ok: boolean): void;
}

/** All streams of one socket. The broker's have even ids, the caller's odd ones; none is used twice. */
export class SocketStreams {
  readonly #socket: StreamSocket;
  readonly #outgoing = new Map<number, CreditedStream>();
  readonly #incoming = new Map<number, Upload>();
  /** The method that each open stream belongs to, and when the stream began. */
  readonly #origins = new Map<number, { method: string; since: number }>();
  #lastOutgoing = 0;
  #lastIncoming = -1;

  constructor(socket: StreamSocket) {
    this.#socket = socket;
  }

  get open(): number {
    return this.#outgoing.size + this.#incoming.size;
  }

  /** The open streams. */
  get facts(): StreamFacts[] {
    const describe = (direction: StreamFacts['direction']) => (stream: CreditedStream | Upload) => {
      const { method = '', since = performance.now() } = this.#origins.get(stream.id) ?? {};
      return {
        stream: stream.id,
        direction,
        method,
        ageMs: Math.round(performance.now() - since),
        ...stream.progressed,
      };
    };
    return [
      ...[...this.#outgoing.values()].map(describe('download')),
      ...[...this.#incoming.values()].map(describe('upload')),
    ];
  }

  /** @param method the request's method */
  forRequest(method: string): RequestStreams {
    const opened: CreditedStream[] = [];
    const accepted: Upload[] = [];
    let settled = false;
    const checkLive = () => {
      // The handler ran past its deadline: the caller would never hear of the stream, nor end it.
      if (settled) throw new BrokerError('CANCELLED', 'The request of this stream was answered already.');
    };
    return {
      open: () => {
        checkLive();
        const stream = this.#openOutgoing(method);
        opened.push(stream);
        return stream satisfies OutgoingStream;
      },
      accept: (id) => {
        checkLive();
        const existing = accepted.find((one) => one.id === id);
        if (existing) return existing;
        const stream = this.#accept(id, method);
        accepted.push(stream);
        return stream satisfies IncomingStream;
      },
      settle: (ok) => {
        settled = true;
        if (opened.length + accepted.length === 0) return;
        const over = new BrokerError('CANCELLED', 'The request of this stream was answered.');
        for (const stream of opened) ok ? stream.start() : stream.drop(over);
        for (const stream of accepted) ok ? stream.fail(over) : stream.abort(over);
      },
    };
  }

  /**
   * Takes a binary frame. Frames for streams that have ended are ignored: they were under way.
   * @throws BrokerError INVALID_REQUEST when the sender broke the rules of credit
   */
  receive(frame: StreamFrame): void {
    const upload = this.#incoming.get(frame.stream);
    if (frame.type === StreamFrameType.ABORT) {
      const error = new BrokerError('CANCELLED', 'The caller aborted the stream.');
      upload?.fail(error);
      this.#outgoing.get(frame.stream)?.drop(error);
    } else if (upload && frame.type === StreamFrameType.END) {
      upload.complete();
    } else if (upload && !upload.push(frame.payload)) {
      throw new BrokerError('INVALID_REQUEST', `Stream ${frame.stream} sent more than its credit.`);
    }
  }

  credit(stream: number, bytes: number): void {
    this.#outgoing.get(stream)?.addCredit(bytes);
  }

  /** The socket has sent something. */
  progress(): void {
    for (const stream of this.#outgoing.values()) stream.progress();
  }

  /** Ends downloads, whose receivers are told why; uploads end with their requests. */
  abort(error: BrokerError): void {
    for (const stream of [...this.#outgoing.values()]) stream.abort(error);
  }

  /** The socket is gone. */
  close(error: BrokerError): void {
    for (const stream of [...this.#outgoing.values()]) stream.drop(error);
    for (const upload of [...this.#incoming.values()]) upload.fail(error);
  }

  #openOutgoing(method: string): CreditedStream {
    this.#checkRoom();
    this.#lastOutgoing += 2;
    const id = this.#lastOutgoing;
    const wire = {
      send: (frame: Uint8Array, onSent?: () => void) => this.#socket.sendBinary(frame, onSent),
      sendAbort: (error: unknown) => this.#sendAbort(id, error),
      hasRoom: () => this.#socket.hasRoom(),
      stallMs: this.#socket.limits.now.streamStallMs,
    };
    const stream = new CreditedStream(id, wire, () => this.#end(this.#outgoing, id));
    this.#outgoing.set(id, stream);
    this.#origins.set(id, { method, since: performance.now() });
    return stream;
  }

  #accept(id: number, method: string): Upload {
    if (id % 2 === 0 || id <= this.#lastIncoming) {
      throw new BrokerError('INVALID_PARAMS', 'stream: must be odd and greater than any used on this socket before.', {
        field: 'stream',
      });
    }
    this.#checkRoom();
    this.#lastIncoming = id;
    const wire = {
      credit: (bytes: number) => this.#socket.notify('$/credit', { stream: id, bytes }),
      sendAbort: (error: unknown) => this.#sendAbort(id, error),
      stallMs: this.#socket.limits.now.streamStallMs,
    };
    const upload = new Upload(id, wire, () => this.#end(this.#incoming, id));
    this.#incoming.set(id, upload);
    this.#origins.set(id, { method, since: performance.now() });
    return upload;
  }

  #sendAbort(id: number, error: unknown): void {
    const brokerError = error instanceof BrokerError ? error : undefined;
    if (!brokerError) this.#socket.unexpected(error);
    const { kind, message } = brokerError ?? new BrokerError('INTERNAL', 'The broker failed; its log has the cause.');
    const reason = new TextEncoder().encode(JSON.stringify({ kind, message }));
    this.#socket.sendBinary(encodeStreamFrame(StreamFrameType.ABORT, id, reason));
  }

  #end(streams: Map<number, unknown>, id: number): void {
    streams.delete(id);
    this.#origins.delete(id);
    this.#socket.ended();
  }

  #checkRoom(): void {
    const { streams } = this.#socket.limits.now;
    if (this.open >= streams) {
      throw new BrokerError('RATE_LIMITED', `This socket has ${streams} open streams already.`, { retryAfterMs: 1000 });
    }
    this.#socket.begin();
  }
}
