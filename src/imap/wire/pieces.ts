/** Largest block in bytes for small pieces. */
const MOST_BLOCK = 64 * 1024;
const NOTHING = Buffer.alloc(0);

/** Collects bytes that arrive in pieces, copied into blocks: a small piece takes no more memory than its bytes. */
export class Pieces {
  /** Full blocks. */
  #blocks: Buffer[] = [];
  /** The block that is being filled, and the number of bytes in it. */
  #block = NOTHING;
  #filled = 0;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** Appends a copy of a piece. */
  add(piece: Buffer): void {
    const copied = piece.copy(this.#block, this.#filled);
    this.#filled += copied;
    if (copied < piece.length) this.#begin(piece.subarray(copied));
    this.#length += piece.length;
  }

  /** The first bytes, as latin1. */
  head(bytes: number): string {
    let text = '';
    for (const block of this.#blocks) {
      if (text.length === bytes) return text;
      text += block.toString('latin1', 0, bytes - text.length);
    }
    return text + this.#block.toString('latin1', 0, Math.min(this.#filled, bytes - text.length));
  }

  /** All pieces as one buffer; clears the collection. */
  take(): Buffer {
    const whole = Buffer.concat([...this.#blocks, this.#block.subarray(0, this.#filled)]);
    this.clear();
    return whole;
  }

  clear(): void {
    this.#blocks = [];
    this.#block = NOTHING;
    this.#filled = 0;
    this.#length = 0;
  }

  /** Begins a block as large as all earlier blocks together, up to a bound: short content takes little memory. */
  #begin(bytes: Buffer): void {
    if (this.#filled > 0) this.#blocks.push(this.#block);
    this.#block = Buffer.allocUnsafe(Math.max(bytes.length, Math.min(this.#length, MOST_BLOCK)));
    this.#filled = bytes.copy(this.#block);
  }
}
