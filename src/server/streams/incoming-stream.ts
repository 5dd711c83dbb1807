import type { IncomingStream } from '../../methods/context.js';
import { BrokerError } from '../../protocol/errors.js';
import { protocolLimits } from '../../protocol/limits.js';
import { atMost } from '../../runtime/wait.js';

/** How an upload answers its sender. */
export interface UploadWire {
  credit(bytes: number): void;
  sendAbort(error: unknown): void;
  stallMs: number;
}

/** Credit is granted in portions of this size: a frame for each chunk would double the traffic. */
const CREDIT_PORTION = protocolLimits.streamPayloadBytes;
/** Chunks that may wait before they are joined: thousands of one byte each would cost far more than their credit. */
const LOOSE_CHUNKS = 64;

/** Takes bytes from the caller; never holds more than the credit that it gave. */
export class Upload implements IncomingStream {
  readonly id: number;
  readonly #wire: UploadWire;
  readonly #onEnd: () => void;
  readonly #chunks: Uint8Array[] = [];
  #allowed: number = protocolLimits.streamInitialCreditBytes;
  #consumed = 0;
  #bytes = 0;
  #waitsSince: number | undefined;
  #state: 'open' | 'complete' | 'failed' = 'open';
  #error: unknown;
  #wake: () => void = () => {};

  constructor(id: number, wire: UploadWire, onEnd: () => void) {
    this.id = id;
    this.#wire = wire;
    this.#onEnd = onEnd;
  }

  /** Bytes that came, and milliseconds that the reader has waited for more by now. */
  get progressed(): { bytes: number; stalledMs: number } {
    const stalledMs = this.#waitsSince === undefined ? 0 : Math.round(performance.now() - this.#waitsSince);
    return { bytes: this.#bytes, stalledMs };
  }

  /** @returns false when the sender exceeded its credit */
  push(bytes: Uint8Array): boolean {
    if (this.#state !== 'open') return true;
    this.#allowed -= bytes.length;
    this.#bytes += bytes.length;
    if (this.#allowed < 0) return false;
    if (bytes.length > 0) this.#store(bytes);
    this.#wake();
    return true;
  }

  /** The sender has sent all. */
  complete(): void {
    this.#close('complete');
  }

  /** No more bytes will come, or they are not wanted: the reader gets the error, the sender is told nothing. */
  fail(error: unknown): void {
    if (this.#state !== 'open') return;
    this.#error = error;
    this.#chunks.length = 0;
    this.#close('failed');
  }

  abort(error: unknown): void {
    if (this.#state !== 'open') return;
    this.#wire.sendAbort(error);
    this.fail(error);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, void> {
    for (;;) {
      if (this.#state === 'failed') throw this.#error;
      const chunk = this.#chunks.shift();
      if (chunk) {
        yield chunk;
        this.#grant(chunk.length);
      } else if (this.#state === 'complete') {
        return;
      } else {
        await this.#waitForBytes();
      }
    }
  }

  #store(bytes: Uint8Array): void {
    // A copy: the frame may be part of a larger buffer that would stay alive with it.
    this.#chunks.push(new Uint8Array(bytes));
    if (this.#chunks.length > LOOSE_CHUNKS) {
      this.#chunks.splice(0, this.#chunks.length, Buffer.concat(this.#chunks));
    }
  }

  #grant(bytes: number): void {
    this.#consumed += bytes;
    if (this.#consumed < CREDIT_PORTION || this.#state !== 'open') return;
    this.#allowed += this.#consumed;
    this.#wire.credit(this.#consumed);
    this.#consumed = 0;
  }

  #close(state: 'complete' | 'failed'): void {
    if (this.#state !== 'open') return;
    this.#state = state;
    this.#wake();
    this.#onEnd();
  }

  async #waitForBytes(): Promise<void> {
    const { stallMs } = this.#wire;
    this.#waitsSince = performance.now();
    const woken = await atMost(stallMs, (wake) => {
      this.#wake = wake;
    });
    this.#waitsSince = undefined;
    if (!woken) this.abort(new BrokerError('STREAM_STALLED', `The upload sent nothing for ${stallMs} ms.`));
  }
}
