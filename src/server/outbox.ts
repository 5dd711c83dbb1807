import type { WebSocket } from 'ws';
import { closeCodes } from '../protocol/limits.js';
import type { Current } from '../runtime/live.js';

/**
 * Pongs that may wait to be sent before the peer is given up, more than there can be pings in one read. A pong has a few
 * bytes alone, and takes hundreds of bytes of memory.
 */
const MOST_PONGS = 16_384;

/** Bytes that may wait before producers pause, and before the peer is given up. */
export interface OutboxLimits {
  pauseAboveBytes: number;
  closeAboveBytes: number;
}

/**
 * What a socket has to send. ws takes any amount and never blocks, so that a peer that does not read would cost memory
 * without bound: streams wait for room, and for frames that cannot wait the peer is given up above the second mark.
 */
export class Outbox {
  readonly #ws: WebSocket;
  readonly #limits: Current<OutboxLimits>;
  readonly #onProgress: () => void;
  /** Pongs that have not left. */
  #pongs = 0;

  /** @param onProgress called whenever a frame has left */
  constructor(ws: WebSocket, limits: Current<OutboxLimits>, onProgress: () => void) {
    this.#ws = ws;
    this.#limits = limits;
    this.#onProgress = onProgress;
  }

  /** Whether streams may send. */
  get hasRoom(): boolean {
    return this.#ws.bufferedAmount < this.#limits.now.pauseAboveBytes;
  }

  /** Bytes that wait to be sent. */
  get bufferedBytes(): number {
    return this.#ws.bufferedAmount;
  }

  text(json: string): void {
    this.#send(() => this.#ws.send(json, (error) => this.#sent(error)));
  }

  /** @param onSent called when the frame has left and its memory may be used again; never where that is not known */
  binary(frame: Uint8Array, onSent: () => void = () => {}): void {
    this.#send(() =>
      this.#ws.send(frame, (error) => {
        if (!error) onSent();
        this.#sent(error);
      }),
    );
  }

  ping(data?: Buffer): void {
    this.#send(() => this.#ws.ping(data));
  }

  pong(data: Buffer): void {
    this.#send(() => {
      if (this.#pongs >= MOST_PONGS) {
        this.#giveUp();
        return;
      }
      this.#pongs += 1;
      this.#ws.pong(data, false, () => {
        this.#pongs -= 1;
      });
    });
  }

  #send(send: () => void): void {
    if (this.#ws.readyState !== this.#ws.OPEN) return;
    // Only the bytes that wait already count: one large answer must not cost a reader that keeps up its socket.
    if (this.#ws.bufferedAmount > this.#limits.now.closeAboveBytes) this.#giveUp();
    else send();
  }

  #giveUp(): void {
    this.#ws.close(closeCodes.OVERLOAD.code, closeCodes.OVERLOAD.meaning);
    this.#ws.terminate();
  }

  #sent(error: Error | null | undefined): void {
    if (!error) this.#onProgress();
  }
}
