import type { OutgoingStream } from '../../methods/context.js';
import { BrokerError } from '../../protocol/errors.js';
import { encodeStreamFrame, FULL_PAYLOAD_BYTES, StreamFrameType } from '../../protocol/frames.js';
import { protocolLimits } from '../../protocol/limits.js';
import { atMost } from '../../runtime/wait.js';

/** How a stream reaches its socket. */
export interface StreamWire {
  /** Calls back when the frame has left and its memory may be used again. */
  send(frame: Uint8Array, onSent?: () => void): void;
  sendAbort(error: unknown): void;
  /** Whether the socket takes more; the stream is told of progress. */
  hasRoom(): boolean;
  stallMs: number;
}

/** Full frames that have left and wait for other streams' bytes: new ones would be garbage that counts as urgent. */
const spare: Uint8Array[] = [];
const MOST_SPARE = 16;

/** Sends bytes as the receiver's credit and the socket allow, for one writer, which awaits each write. */
export class CreditedStream implements OutgoingStream {
  readonly id: number;
  readonly #controller = new AbortController();
  readonly #wire: StreamWire;
  readonly #onEnd: () => void;
  #credit: number = protocolLimits.streamInitialCreditBytes;
  /** The writer has ended or aborted the stream; the frame that says so may still wait for the start. */
  #ended = false;
  #gone = false;
  #waitsFor: 'credit' | 'room' | undefined;
  #waitsSince = 0;
  #bytes = 0;
  #wake: () => void = () => {};
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

  /** Bytes that were sent, and milliseconds that the stream has stood still by now. */
  get progressed(): { bytes: number; stalledMs: number } {
    const stalledMs = this.#waitsFor ? Math.round(performance.now() - this.#waitsSince) : 0;
    return { bytes: this.#bytes, stalledMs };
  }

  /** The result that names the stream was sent: bytes may follow. */
  start(): void {
    this.#start();
  }

  async write(bytes: Uint8Array): Promise<void> {
    await this.#started;
    for (let from = 0; from < bytes.length; ) {
      await this.#ready();
      const size = Math.min(bytes.length - from, this.#credit, FULL_PAYLOAD_BYTES);
      this.#credit -= size;
      this.#bytes += size;
      this.#send(bytes.subarray(from, from + size));
      from += size;
    }
    this.signal.throwIfAborted();
  }

  end(): void {
    this.#finish(() => this.#wire.send(encodeStreamFrame(StreamFrameType.END, this.id)));
  }

  abort(error: unknown): void {
    if (this.#ended) return;
    this.#finish(() => this.#wire.sendAbort(error));
    this.#controller.abort(error);
    this.#wake();
  }

  /** The receiver allows more bytes. */
  addCredit(bytes: number): void {
    this.#credit = Math.min(this.#credit + bytes, Number.MAX_SAFE_INTEGER);
    if (this.#waitsFor === 'credit') this.#wake();
  }

  /** The socket has sent something. */
  progress(): void {
    if (this.#waitsFor === 'room') this.#wake();
  }

  /** Ends without a frame: the receiver aborted the stream, or its socket is gone, or the request failed. */
  drop(error: BrokerError): void {
    if (this.#gone) return;
    this.#ended = true;
    this.#leave();
    this.#controller.abort(error);
    this.#start();
    this.#wake();
  }

  #send(payload: Uint8Array): void {
    if (payload.length < FULL_PAYLOAD_BYTES) {
      this.#wire.send(encodeStreamFrame(StreamFrameType.DATA, this.id, payload));
      return;
    }
    const frame = encodeStreamFrame(StreamFrameType.DATA, this.id, payload, spare.pop());
    this.#wire.send(frame, () => {
      if (spare.length < MOST_SPARE) spare.push(frame);
    });
  }

  #finish(sendLast: () => void): void {
    if (this.#ended) return;
    this.#ended = true;
    void this.#started.then(() => {
      if (this.#gone) return;
      sendLast();
      this.#leave();
    });
  }

  #leave(): void {
    this.#gone = true;
    this.#onEnd();
  }

  /** Waits for credit, then for room; progress of either restarts the timeout. */
  async #ready(): Promise<void> {
    for (;;) {
      this.signal.throwIfAborted();
      if (this.#credit === 0) await this.#waitFor('credit', 'The stream had no credit');
      else if (!this.#wire.hasRoom()) await this.#waitFor('room', 'The socket sent nothing');
      else return;
    }
  }

  async #waitFor(what: 'credit' | 'room', complaint: string): Promise<void> {
    const { stallMs } = this.#wire;
    this.#waitsFor = what;
    this.#waitsSince = performance.now();
    const woken = await atMost(stallMs, (wake) => {
      this.#wake = wake;
    });
    this.#waitsFor = undefined;
    if (!woken) this.abort(new BrokerError('STREAM_STALLED', `${complaint} for ${stallMs} ms.`));
  }
}
