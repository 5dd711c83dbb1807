/** Bytes of a block, at most, into which small pieces go. */
const MOST_BLOCK = 64 * 1024;
const NOTHING = Buffer.alloc(0);

/** Bytes that come in pieces. They are copied into blocks: a piece takes as much memory as it has bytes, however few. */
export class Pieces {
  /** Blocks that are full. */
  #blocks: Buffer[] = [];
  /** The block that is being filled, and how far. */
  #block = NOTHING;
  #filled = 0;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** Copies a piece behind those before it. */
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

  /** All pieces as one buffer, of which nothing is kept here. */
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

  /** Each block is as large as all before it together, up to a bound: what is short stays small. */
  #begin(bytes: Buffer): void {
    if (this.#filled > 0) this.#blocks.push(this.#block);
    this.#block = Buffer.allocUnsafe(Math.max(bytes.length, Math.min(this.#length, MOST_BLOCK)));
    this.#filled = bytes.copy(this.#block);
  }
}
