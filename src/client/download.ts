import { abortReason } from '../protocol/events.js';
import { type StreamFrame, StreamFrameType } from '../protocol/frames.js';
import { protocolLimits } from '../protocol/limits.js';
import { type RpcError, rpcError } from './errors.js';

/** How a download answers the broker. */
export interface DownloadWire {
  credit(bytes: number): void;
  abort(): void;
}

/** Credit is returned in portions, so that not every frame costs another; the other half keeps the broker busy meanwhile. */
const CREDIT_PORTION = protocolLimits.streamInitialCreditBytes / 2;

/** A stream from the broker as a web stream: what its reader takes is what the broker may send on. */
export class Download {
  readonly body: ReadableStream<Uint8Array>;
  readonly #wire: DownloadWire;
  readonly #onEnd: () => void;
  #controller!: ReadableStreamDefaultController<Uint8Array>;
  readonly #waiting: Uint8Array[] = [];
  #consumed = 0;
  #done = false;
  #closed = false;

  constructor(wire: DownloadWire, onEnd: () => void) {
    this.#wire = wire;
    this.#onEnd = onEnd;
    this.body = new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          this.#controller = controller;
        },
        pull: () => this.#pull(),
        cancel: () => this.#cancel(),
      },
      { highWaterMark: 0 },
    );
  }

  /** Takes a frame of this stream. */
  receive({ type, payload }: StreamFrame): void {
    if (this.#closed) return;
    if (type === StreamFrameType.DATA) {
      this.#waiting.push(payload.slice());
      this.#flush();
    } else if (type === StreamFrameType.END) {
      this.#done = true;
      this.#end();
      this.#flush();
    } else {
      this.fail(readReason(payload));
    }
  }

  /** No more bytes will come. */
  fail(error: RpcError): void {
    if (this.#closed || this.#done) return;
    this.#closed = true;
    this.#waiting.length = 0;
    this.#controller.error(error);
    this.#end();
  }

  #pull(): void {
    this.#flush();
  }

  #flush(): void {
    while (this.#wanted && this.#waiting.length > 0) {
      const chunk = this.#waiting.shift();
      if (!chunk) break;
      this.#controller.enqueue(chunk);
      this.#grant(chunk.length);
    }
    if (this.#done && this.#waiting.length === 0 && !this.#closed) {
      this.#closed = true;
      this.#controller.close();
    }
  }

  /** With a mark of 0 the size is negative as long as a chunk lies unread, and 0 while a reader waits for one. */
  get #wanted(): boolean {
    return !this.#closed && (this.#controller.desiredSize ?? -1) >= 0;
  }

  #grant(bytes: number): void {
    this.#consumed += bytes;
    if (this.#done || this.#consumed < CREDIT_PORTION) return;
    this.#wire.credit(this.#consumed);
    this.#consumed = 0;
  }

  #cancel(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#waiting.length = 0;
    if (!this.#done) this.#wire.abort();
    this.#end();
  }

  #end(): void {
    this.#onEnd();
  }
}

function readReason(payload: Uint8Array): RpcError {
  try {
    const { kind, message } = abortReason.parse(JSON.parse(new TextDecoder().decode(payload)));
    return rpcError(message, { kind: kind as RpcError['kind'], executed: 'no' });
  } catch {
    return rpcError('The broker aborted the stream.', { kind: 'CONNECTION_LOST', executed: 'no' });
  }
}

/** Bytes that came inline, in the same form. */
export function inlineBody(base64: string): ReadableStream<Uint8Array> {
  const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  return new ReadableStream({
    start(controller) {
      if (bytes.length > 0) controller.enqueue(bytes);
      controller.close();
    },
  });
}
