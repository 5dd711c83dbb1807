import { encodeStreamFrame, StreamFrameType } from '../../protocol/frames.js';
import { protocolLimits } from '../../protocol/limits.js';

/** How an upload reaches the broker. */
export interface UploadWire {
  /** Answers a promise to wait for where much lies unsent, which ends with the socket at the latest. */
  send(frame: Uint8Array): Promise<void> | undefined;
}

/** Sends a web stream to the broker, as its credit allows. */
export class Upload {
  readonly id: number;
  readonly #wire: UploadWire;
  readonly #content: ReadableStream<Uint8Array>;
  #credit: number = protocolLimits.streamInitialCreditBytes;
  #stopped = false;
  #wake: (() => void) | undefined;
  #reader: ReadableStreamDefaultReader<Uint8Array> | undefined;

  constructor(id: number, content: ReadableStream<Uint8Array>, wire: UploadWire) {
    this.id = id;
    this.#content = content;
    this.#wire = wire;
  }

  addCredit(bytes: number): void {
    this.#credit = Math.min(this.#credit + bytes, Number.MAX_SAFE_INTEGER);
    this.#wake?.();
  }

  /** The broker wants no more, or is gone. */
  stop(): void {
    this.#stopped = true;
    this.#wake?.();
    // The source of the content may be silent for long.
    this.#reader?.cancel().catch(() => {});
  }

  /** Sends everything. @throws what reading the content throws, after the broker was told */
  async run(): Promise<void> {
    let reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
    try {
      reader = this.#content.getReader();
      this.#reader = reader;
      for (let next = await reader.read(); !next.done && !this.#stopped; next = await reader.read()) {
        await this.#send(next.value);
      }
      if (!this.#stopped) this.#wire.send(encodeStreamFrame(StreamFrameType.END, this.id));
    } catch (error) {
      if (!this.#stopped) this.#wire.send(encodeStreamFrame(StreamFrameType.ABORT, this.id));
      throw error;
    } finally {
      this.#reader = undefined;
      reader?.releaseLock();
    }
  }

  async #send(bytes: Uint8Array): Promise<void> {
    for (let from = 0; from < bytes.length && !this.#stopped; ) {
      if (this.#credit === 0) {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
        this.#wake = undefined;
        continue;
      }
      const size = Math.min(bytes.length - from, this.#credit, protocolLimits.streamPayloadBytes);
      this.#credit -= size;
      const room = this.#wire.send(encodeStreamFrame(StreamFrameType.DATA, this.id, bytes.subarray(from, from + size)));
      from += size;
      // However much credit the broker gives, no more is read of the content than the socket takes.
      if (room) await room;
    }
  }
}
