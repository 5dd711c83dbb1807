import type { IncomingStream } from '../methods/context.js';
import { BrokerError } from '../protocol/errors.js';
import { protocolLimits } from '../protocol/limits.js';

/** How an upload answers its sender. */
export interface UploadWire {
  credit(bytes: number): void;
  abort(error: BrokerError): void;
  stallMs: number;
}

/** Credit is granted in portions of this size: a frame for each chunk would double the traffic. */
const CREDIT_PORTION = protocolLimits.streamPayloadBytes;

/** Takes bytes from the caller; never holds more than the credit that it gave. */
export class Upload implements IncomingStream {
  readonly id: number;
  readonly #wire: UploadWire;
  readonly #onEnd: () => void;
  readonly #chunks: Uint8Array[] = [];
  #allowed: number = protocolLimits.streamInitialCreditBytes;
  #consumed = 0;
  #state: 'open' | 'complete' | 'failed' = 'open';
  #error: BrokerError | undefined;
  #wake: (() => void) | undefined;

  constructor(id: number, wire: UploadWire, onEnd: () => void) {
    this.id = id;
    this.#wire = wire;
    this.#onEnd = onEnd;
  }

  /** @returns false when the sender took more than its credit */
  push(bytes: Uint8Array): boolean {
    if (this.#state !== 'open') return true;
    this.#allowed -= bytes.length;
    if (this.#allowed < 0) return false;
    // The frame's buffer may be part of a larger one that would stay alive with it.
    if (bytes.length > 0) this.#chunks.push(bytes.slice());
    this.#wake?.();
    return true;
  }

  /** The sender has sent all. */
  complete(): void {
    this.#close('complete');
  }

  /** No more bytes will come: the sender aborted, or its socket is gone. */
  fail(error: BrokerError): void {
    this.#error = error;
    this.#close('failed');
  }

  abort(error: unknown): void {
    if (this.#state !== 'open') return;
    const known = error instanceof BrokerError ? error : new BrokerError('INTERNAL', 'The broker failed.');
    this.#wire.abort(known);
    this.fail(known);
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
    if (state === 'failed') this.#chunks.length = 0;
    this.#wake?.();
    this.#onEnd();
  }

  async #waitForBytes(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const { stallMs } = this.#wire;
    const stalled = await new Promise<boolean>((resolve) => {
      this.#wake = () => resolve(false);
      timer = setTimeout(() => resolve(true), stallMs);
    });
    clearTimeout(timer);
    this.#wake = undefined;
    if (stalled) this.abort(new BrokerError('STREAM_STALLED', `The upload sent nothing for ${stallMs} ms.`));
  }
}
