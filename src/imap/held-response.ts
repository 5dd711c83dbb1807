import { parseQuick, type QuickResponse } from './response-parser.js';

/** Bytes of a response without its literals that are held: more in one line is nothing usual. */
const MOST_OF_LINES = 64 * 1024;

/** Below this a new buffer costs next to nothing. */
const SMALL_LITERAL = 64 * 1024;

const [LF, CR, SPACE, STAR, ZERO, NINE] = [0x0a, 0x0d, 0x20, 0x2a, 0x30, 0x39];
const [BRACE, BRACE_END] = [0x7b, 0x7d];

const listed = ['LIST ', 'STATUS '].map((keyword) => Buffer.from(keyword));

/** How far a response has been read: to its end, or not yet; `other`: it is none for this reader. */
export type ReadState = 'whole' | 'part' | 'other';

/**
 * A FETCH, LIST or STATUS response as it arrives, in chunks that end anywhere. The octets of a literal are copied once, to where they
 * stay, so that nothing keeps the chunks that they came in.
 */
export class HeldResponse {
  /** Where reading stopped in the chunk. */
  at = 0;
  /** Where the octets of the next large literal are to stay; taken by the first that fits in. */
  landing: Buffer | undefined;
  /** Bytes of the response so far, its literals included even where they have not come yet. */
  size = 0;
  /** Each but the last ends in the `{n}` of a literal. */
  #lines: Buffer[] = [];
  #literals: Buffer[] = [];
  /** Octets that the last literal lacks. */
  #missing = 0;
  /** The line that has begun. */
  #begun: Buffer[] = [];
  #lineBytes = 0;

  /** Reads on; a response of more than so many bytes is another's. */
  read(chunk: Buffer, from: number, most: number): ReadState {
    this.at = from;
    for (;;) {
      if (!this.#fillLiteral(chunk) || this.at === chunk.length) return 'part';
      if (this.size === 0 && !begins(chunk, this.at)) return 'other';
      const lf = chunk.indexOf(LF, this.at);
      const end = lf < 0 ? chunk.length : lf + 1;
      this.#begun.push(chunk.subarray(this.at, end));
      this.#lineBytes += end - this.at;
      this.size += end - this.at;
      this.at = end;
      if (this.#lineBytes > MOST_OF_LINES || this.size > most) return 'other';
      if (lf < 0) return 'part';
      const [first = chunk] = this.#begun;
      const line = this.#begun.length === 1 ? first : Buffer.concat(this.#begun);
      this.#begun = [];
      this.#lines.push(line);
      const length = literalLength(line);
      if (length === undefined) return 'whole';
      if (this.size + length > most) return 'other';
      this.size += length;
      this.#literals.push(this.#place(length));
      this.#missing = length;
    }
  }

  /** What a whole response says; `undefined` when it is another, or an odd one. */
  parse(): QuickResponse | undefined {
    let text = '';
    for (const line of this.#lines) text += line.toString('utf8');
    const end = text.endsWith('\r\n') ? -2 : -1;
    return parseQuick(text.slice(0, end), this.#literals);
  }

  /** All bytes so far and the rest of the chunk, for somebody else to read; here they are forgotten. */
  giveUp(chunk: Buffer): Buffer {
    const rest = chunk.subarray(this.at);
    const parts: Buffer[] = [];
    for (const [at, line] of this.#lines.entries()) parts.push(line, ...this.#literals.slice(at, at + 1));
    parts.push(...this.#begun);
    this.clear();
    return parts.length === 0 ? rest : Buffer.concat([...parts, rest]);
  }

  clear(): void {
    this.size = 0;
    this.#lines = [];
    this.#literals = [];
    this.#begun = [];
    this.#lineBytes = 0;
    this.#missing = 0;
  }

  #place(length: number): Buffer {
    const { landing } = this;
    if (length < SMALL_LITERAL || !landing || length > landing.length) return Buffer.allocUnsafe(length);
    this.landing = undefined;
    return landing.subarray(0, length);
  }

  /** Takes bytes that are nothing but octets of a literal that has begun; false: there is more in them, or other things. */
  takeOctets(bytes: Buffer): boolean {
    if (bytes.length > this.#missing) return false;
    this.at = 0;
    this.#fillLiteral(bytes);
    return true;
  }

  /** Whether the last literal is whole. */
  #fillLiteral(chunk: Buffer): boolean {
    const literal = this.#literals.at(-1);
    if (this.#missing === 0 || !literal) return true;
    const copied = chunk.copy(literal, literal.length - this.#missing, this.at);
    this.#missing -= copied;
    this.at += copied;
    return this.#missing === 0;
  }
}

/** Only whether it may be one: the rest is the parser's to say. */
function begins(bytes: Buffer, at: number): boolean {
  if (bytes[at] !== STAR) return false;
  if (at + 2 >= bytes.length) return true;
  if (bytes[at + 1] !== SPACE) return false;
  return isDigit(bytes[at + 2]) || listed.some((keyword) => startsWith(bytes, at + 2, keyword));
}

/** Whether the bytes begin so, as far as they have come. */
function startsWith(bytes: Buffer, at: number, text: Buffer): boolean {
  const length = Math.min(text.length, bytes.length - at);
  return bytes.compare(text, 0, length, at, at + length) === 0;
}

/** The n of a line that ends in `{n}`. */
function literalLength(line: Buffer): number | undefined {
  const lf = line.length - 1;
  const end = line[lf - 1] === CR ? lf - 2 : lf - 1;
  if (line[end] !== BRACE_END) return undefined;
  let at = end - 1;
  while (at > 0 && isDigit(line[at])) at -= 1;
  if (line[at] !== BRACE || at === end - 1) return undefined;
  return Number(line.toString('latin1', at + 1, end));
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= ZERO && byte <= NINE;
}
