import { constants, createDeflateRaw, createInflateRaw } from 'node:zlib';
import type { Carrier } from './carrier.js';

/** A carrier that compresses both directions of another carrier (COMPRESS=DEFLATE, RFC 4978). */
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
    // The end of the connection, or only of the compressed stream: bytes after its end cannot be inflated.
    this.#inflate.once('end', () => this.onEnd(undefined));
    const fail = (error: Error) => {
      this.onEnd(error);
      this.close();
    };
    this.#inflate.on('error', fail);
    this.#deflate.on('error', fail);
    under.onBytes = (bytes) => this.#take(bytes);
    under.onEnd = (error) => {
      // Bytes that came before the end are delivered first.
      if (error || this.#closed) this.onEnd(error);
      else this.#inflate.end();
    };
    // The wire may have paused the other carrier after the response to COMPRESS, and resumes only this one from now on.
    under.resume();
  }

  /** A few compressed bytes may inflate to many: no more are read until those have been taken. */
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
