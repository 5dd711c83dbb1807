import iconv from 'iconv-lite';
import { breathe } from '../../wire/turn-budget.js';
import { decodeCharset, wideCharset } from '../charset.js';

/** Bytes that are decoded at once: some milliseconds at most. */
const BLOCK_BYTES = 32 * 1024;
/** Most bytes that are held back to find the end of a character; after them, a character may be cut. */
const MOST_HELD = 1024 * 1024;
const [LF, CR, SO, SI, ESC, SPACE] = [0x0a, 0x0d, 0x0e, 0x0f, 0x1b, 0x20];

/**
 * Decodes a text of any length, with LF line ends. It is decoded in blocks that end with a line, or else where no
 * charset has a character that goes on; which bytes form a block depends on the text alone, not on the pieces in which
 * it comes, so that the same text decodes to the same characters again.
 */
export class TextStream {
  readonly #charset: string | null;
  #held: Buffer = Buffer.alloc(0);
  /** Bytes of the above in which no block ends. */
  #searched = 0;
  #wide: iconv.DecoderStream | undefined;
  #begun = false;
  /** A CR, or half of a character of UTF-16, with which the text so far ends: what it means, the next one decides. */
  #tail = '';

  /** @param charset as declared; null where it is missing */
  constructor(charset: string | null) {
    this.#charset = charset;
  }

  /** Takes bytes, which are copied where they are held back. Yields the texts of the blocks that are complete. */
  *push(bytes: Uint8Array): Generator<string, void, void> {
    this.#held = Buffer.concat([this.#held, bytes]);
    for (let length = this.#blockLength(); length > 0; length = this.#blockLength()) yield* this.#take(length, false);
  }

  /** The rest of the text. */
  *end(): Generator<string, void, void> {
    yield* this.#take(this.#held.length, true);
  }

  *#take(length: number, last: boolean): Generator<string, void, void> {
    const block = this.#held.subarray(0, length);
    this.#held = this.#held.subarray(length);
    this.#searched = 0;
    const text = this.#tail + this.#decode(block, last);
    this.#tail = last ? '' : (/[\r\uD800-\uDBFF]$/.exec(text)?.[0] ?? '');
    const whole = text.slice(0, text.length - this.#tail.length).replaceAll('\r\n', '\n');
    if (whole !== '') yield whole;
  }

  #decode(block: Buffer, last: boolean): string {
    const wide = this.#begun ? undefined : wideCharset(this.#charset, block);
    this.#begun = true;
    if (wide) this.#wide = iconv.getDecoder(wide);
    if (!this.#wide) return decodeCharset(block, this.#charset).text;
    const text = this.#wide.write(block);
    return last ? text + (this.#wide.end() ?? '') : text;
  }

  /** Bytes of the next block; 0 where more bytes are needed. */
  #blockLength(): number {
    while (this.#searched + BLOCK_BYTES <= this.#held.length) {
      const from = this.#searched;
      const block = this.#held.subarray(from, from + BLOCK_BYTES);
      if (this.#wide) return BLOCK_BYTES;
      const line = block.lastIndexOf(LF) + 1;
      const length = line > 0 ? line : endOfCharacters(block);
      if (length > 0) return from + length;
      this.#searched += BLOCK_BYTES;
      if (this.#searched >= MOST_HELD) return this.#searched - cutOfUtf8(block);
    }
    return 0;
  }
}

/**
 * The end of the last blank, which ends a character in any charset, and neither shifts alphabets nor begins a line end.
 * 0 where there is none.
 */
function endOfCharacters(block: Buffer): number {
  for (let end = block.length; end > 0; end -= 1) {
    const byte = block[end - 1] ?? 0;
    if (byte <= SPACE && byte !== CR && byte !== ESC && byte !== SO && byte !== SI) return end;
  }
  return 0;
}

/** Bytes of a character of UTF-8 that begins at the end of a block and does not end there; 0 where there is none. */
function cutOfUtf8(block: Buffer): number {
  for (let bytes = 1; bytes < 4; bytes += 1) {
    const byte = block[block.length - bytes] ?? 0;
    if (byte >= 0xc0) return bytes < (byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2) ? bytes : 0;
    if (byte < 0x80) return 0;
  }
  return 0;
}

/** A text as UTF-8 with LF line ends, in pieces: see {@link TextStream}. */
export async function* asUtf8(
  bytes: AsyncIterable<Buffer>,
  charset: string | null,
): AsyncGenerator<Buffer, void, void> {
  const stream = new TextStream(charset);
  for await (const piece of bytes) {
    for (const text of stream.push(piece)) {
      yield Buffer.from(text);
      await breathe();
    }
  }
  for (const text of stream.end()) yield Buffer.from(text);
}
