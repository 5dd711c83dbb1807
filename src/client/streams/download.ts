import { type StreamFrame, StreamFrameType } from '../../protocol/frames.js';
import { protocolLimits } from '../../protocol/limits.js';
import { type RpcError, rpcError } from '../errors.js';
import { Violation } from './incoming.js';
import { wrongReason } from './received.js';

/** How a download answers the broker. */
export interface DownloadWire {
  credit(bytes: number): void;
  abort(): void;
}

/** Credit is returned in portions, so that not each frame costs another; the other half keeps the broker busy. */
const CREDIT_PORTION = protocolLimits.streamInitialCreditBytes / 2;
/** Chunks that may wait before they are joined: thousands of one byte each would cost far more than their credit. */
const LOOSE_CHUNKS = 64;
/** Most milliseconds that a reader waits for the next bytes. A broker that is not stuck gives up earlier. */
const SILENCE_MS = protocolLimits.timeoutMs;

/** A stream from the broker as a web stream: what its reader takes is what the broker may send on. */
export class Download {
  readonly body: ReadableStream<Uint8Array>;
  readonly #wire: DownloadWire;
  readonly #onEnd: () => void;
  #controller!: ReadableStreamDefaultController<Uint8Array>;
  readonly #waiting: Uint8Array[] = [];
  /** Bytes that the broker may still send. */
  #allowed: number = protocolLimits.streamInitialCreditBytes;
  #consumed = 0;
  #done = false;
  #closed = false;
  #silence: ReturnType<typeof setTimeout> | undefined;

  constructor(wire: DownloadWire, onEnd: () => void) {
    this.#wire = wire;
    this.#onEnd = onEnd;
    this.body = new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          this.#controller = controller;
        },
        pull: () => this.#pull(),
        cancel: () => this.drop(),
      },
      { highWaterMark: 0 },
    );
  }

  /** Takes a frame of this stream. @throws Violation when the broker sends more than its credit */
  receive({ type, payload, stream }: StreamFrame): void {
    if (this.#closed || this.#done) return;
    if (type === StreamFrameType.DATA) {
      this.#allowed -= payload.length;
      if (this.#allowed < 0) throw new Violation(`more bytes of stream ${stream} than its credit`);
      if (payload.length > 0) this.#store(payload);
      this.#flush();
    } else if (type === StreamFrameType.END) {
      this.#done = true;
      this.#onEnd();
      this.#flush();
    } else {
      this.fail(readReason(payload));
    }
  }

  /** No more bytes will come. */
  fail(error: RpcError): void {
    if (this.#closed || this.#done) return;
    this.#close();
    this.#controller.error(error);
    this.#onEnd();
  }

  /** The bytes are not wanted. */
  drop(): void {
    if (this.#closed) return;
    this.#close();
    if (this.#done) return;
    this.#wire.abort();
    this.#onEnd();
  }

  #store(payload: Uint8Array): void {
    // A small piece of a large buffer would keep all of that alive.
    const isMostOfIt = payload.length * 2 >= payload.buffer.byteLength;
    this.#waiting.push(isMostOfIt ? payload : new Uint8Array(payload));
    if (this.#waiting.length > LOOSE_CHUNKS) this.#waiting.splice(0, this.#waiting.length, concatenate(this.#waiting));
  }

  #pull(): void {
    this.#flush();
    if (!this.#wanted) return;
    clearTimeout(this.#silence);
    this.#silence = setTimeout(() => {
      this.#wire.abort();
      this.fail(rpcError('The broker sent nothing for too long.', { kind: 'STREAM_STALLED', executed: 'no' }));
    }, SILENCE_MS);
  }

  #flush(): void {
    while (this.#wanted && this.#waiting.length > 0) {
      const chunk = this.#waiting.shift();
      if (!chunk) break;
      clearTimeout(this.#silence);
      this.#controller.enqueue(chunk);
      this.#grant(chunk.length);
    }
    if (this.#done && this.#waiting.length === 0 && !this.#closed) {
      this.#close();
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
    this.#allowed += this.#consumed;
    this.#wire.credit(this.#consumed);
    this.#consumed = 0;
  }

  #close(): void {
    this.#closed = true;
    this.#waiting.length = 0;
    clearTimeout(this.#silence);
  }
}

function concatenate(chunks: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(chunks.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const chunk of chunks) {
    all.set(chunk, at);
    at += chunk.length;
  }
  return all;
}

function readReason(payload: Uint8Array): RpcError {
  try {
    const reason: unknown = JSON.parse(new TextDecoder().decode(payload));
    if (wrongReason(reason) === undefined) {
      const { kind, message } = reason as { kind: RpcError['kind']; message: string };
      return rpcError(message, { kind, executed: 'no' });
    }
  } catch {
    // Told below.
  }
  return rpcError('The broker aborted the stream.', { kind: 'CONNECTION_LOST', executed: 'no' });
}

/** Bytes that came inline, in the same form. @throws Violation */
export function inlineBody(base64: string): ReadableStream<Uint8Array> {
  const characters = fromBase64(base64);
  const bytes = new Uint8Array(characters.length);
  // `Uint8Array.from` would first make an array of all characters, each a string.
  for (let at = 0; at < bytes.length; at += 1) bytes[at] = characters.charCodeAt(at);
  return new ReadableStream({
    start(controller) {
      if (bytes.length > 0) controller.enqueue(bytes);
      controller.close();
    },
  });
}

function fromBase64(base64: string): string {
  try {
    return atob(base64);
  } catch {
    throw new Violation('inline bytes that are no base64');
  }
}
