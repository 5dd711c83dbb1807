import { constants, createDeflateRaw, createInflateRaw } from 'node:zlib';
import type { Carrier } from './carrier.js';

/** Another carrier's bytes compressed in both directions (COMPRESS=DEFLATE, RFC 4978). */
export class DeflateCarrier implements Carrier {
  onBytes: Carrier['onBytes'] = () => true;
  onEnd: Carrier['onEnd'] = () => {};
  readonly #under: Carrier;
  readonly #inflate = createInflateRaw({ chunkSize: 16 * 1024, finishFlush: constants.Z_SYNC_FLUSH });
  readonly #deflate = createDeflateRaw({ chunkSize: 16 * 1024 });
  #corked = false;
  #closed = false;

  constructor(under: Carrier) {
    this.#under = under;
    this.#deflate.on('data', (bytes: Buffer) => under.write(bytes));
    this.#inflate.on('data', (bytes: Buffer) => {
      if (!this.onBytes(bytes)) this.#inflate.pause();
    });
    // The end of the connection, or of the compressed stream alone: bytes behind that one cannot be inflated.
    this.#inflate.once('end', () => this.onEnd(undefined));
    const fail = (error: Error) => {
      this.onEnd(error);
      this.close();
    };
    this.#inflate.on('error', fail);
    this.#deflate.on('error', fail);
    under.onBytes = (bytes) => this.#take(bytes);
    under.onEnd = (error) => {
      // What came before the end is handed on first.
      if (error || this.#closed) this.onEnd(error);
      else this.#inflate.end();
    };
    // The wire may have paused it behind the answer to COMPRESS, and resumes only this carrier from now on.
    under.resume();
  }

  /** Little compressed makes much: no more is read before what there is has been taken. */
  #take(bytes: Buffer): boolean {
    if (this.#closed) return false;
    if (this.#inflate.write(Buffer.from(bytes))) return true;
    this.#inflate.once('drain', () => this.#under.resume());
    return false;
  }

  write(data: string | Buffer): void {
    if (this.#closed) return;
    this.#deflate.write(data, 'latin1');
    if (!this.#corked) this.#deflate.flush(constants.Z_SYNC_FLUSH);
  }

  cork(): void {
    this.#corked = true;
  }

  uncork(): void {
    this.#corked = false;
    if (!this.#closed) this.#deflate.flush(constants.Z_SYNC_FLUSH);
  }

  resume(): void {
    this.#inflate.resume();
  }

  close(): void {
    this.#closed = true;
    this.#inflate.destroy();
    this.#deflate.destroy();
    this.#under.close();
  }
}
