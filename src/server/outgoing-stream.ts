import type { OutgoingStream } from '../methods/context.js';
import { BrokerError } from '../protocol/errors.js';
import { encodeStreamFrame, StreamFrameType } from '../protocol/frames.js';
import { protocolLimits } from '../protocol/limits.js';

/** How a stream reaches its socket. */
export interface StreamWire {
  /** Hands a frame to the socket; resolves when the socket takes more. */
  send(frame: Uint8Array): Promise<void>;
  stallMs: number;
}

/** Sends bytes as the receiver's credit allows. */
export class CreditedStream implements OutgoingStream {
  readonly id: number;
  readonly #controller = new AbortController();
  readonly #wire: StreamWire;
  readonly #onEnd: () => void;
  #credit: number = protocolLimits.streamInitialCreditBytes;
  #ended = false;
  #wake: (() => void) | undefined;
  readonly #started: Promise<void>;
  #start: () => void = () => {};

  constructor(id: number, wire: StreamWire, onEnd: () => void) {
    this.id = id;
    this.#wire = wire;
    this.#onEnd = onEnd;
    this.#started = new Promise((resolve) => {
      this.#start = resolve;
    });
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** The result that names the stream was sent: bytes may follow. */
  start(): void {
    this.#start();
  }

  async write(bytes: Uint8Array): Promise<void> {
    await this.#started;
    for (let from = 0; from < bytes.length; ) {
      if (this.#credit === 0) await this.#waitForCredit();
      this.signal.throwIfAborted();
      const size = Math.min(bytes.length - from, this.#credit, protocolLimits.streamPayloadBytes);
      this.#credit -= size;
      await this.#wire.send(encodeStreamFrame(StreamFrameType.DATA, this.id, bytes.subarray(from, from + size)));
      from += size;
    }
    this.signal.throwIfAborted();
  }

  end(): void {
    void this.#finish(encodeStreamFrame(StreamFrameType.END, this.id));
  }

  abort(error: unknown): void {
    const { kind, message } = error instanceof BrokerError ? error : new BrokerError('INTERNAL', 'The broker failed.');
    const reason = new TextEncoder().encode(JSON.stringify({ kind, message }));
    void this.#finish(encodeStreamFrame(StreamFrameType.ABORT, this.id, reason));
    this.#controller.abort(error);
    this.#wake?.();
  }

  /** The receiver allows more. */
  addCredit(bytes: number): void {
    this.#credit = Math.min(this.#credit + bytes, Number.MAX_SAFE_INTEGER);
    this.#wake?.();
  }

  /** Ends without a word to the receiver: it aborted the stream, or its socket is gone, or the request failed. */
  drop(error: BrokerError): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#controller.abort(error);
    this.#start();
    this.#wake?.();
    this.#onEnd();
  }

  async #finish(frame: Uint8Array): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    this.#onEnd();
    await this.#started;
    await this.#wire.send(frame).catch(() => {});
  }

  async #waitForCredit(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const { stallMs } = this.#wire;
    const stalled = await new Promise<boolean>((resolve) => {
      this.#wake = () => resolve(false);
      timer = setTimeout(() => resolve(true), stallMs);
    });
    clearTimeout(timer);
    this.#wake = undefined;
    if (stalled) this.abort(new BrokerError('STREAM_STALLED', `The stream had no credit for ${stallMs} ms.`));
  }
}
