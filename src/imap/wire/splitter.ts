import { tooLarge } from './errors.js';
import { wireLimits } from './limits.js';
import { Pieces } from './pieces.js';

/** Below this a new buffer costs next to nothing. */
const SMALL_LITERAL = 64 * 1024;

const [LF, CR, ZERO, NINE, BRACE, BRACE_END] = [0x0a, 0x0d, 0x30, 0x39, 0x7b, 0x7d];

/** Bytes that a response may have. */
export interface SplitterLimits {
  lineBytes: number;
  literalBytes: number;
  /** Of lines and literals together. */
  responseBytes: number;
}

/**
 * Splits what a server sends into responses: lines, and the literals between them (RFC 9051 section 2.2). Chunks may end
 * anywhere. The octets of a literal are copied once, to where they stay, and nothing of a chunk is kept.
 */
export class Splitter {
  /** Where reading stopped in the chunk. */
  at = 0;
  /** Memory for the octets of the next large literal; taken by the first that fits in. */
  landing: Buffer | undefined;
  /** Bytes of the response so far, its literals included even where they have not come yet. */
  size = 0;
  /** Each but the last ends in the `{n}` of a literal. Valid until the chunk is read on or ends. */
  readonly lines: Buffer[] = [];
  readonly literals: Buffer[] = [];
  readonly #limits: SplitterLimits;
  /** Octets that the last literal lacks. */
  #missing = 0;
  /** The line that has begun in earlier chunks. */
  readonly #begun = new Pieces();
  #lineBytes = 0;
  /** Lines that are copies already. */
  #owned = 0;

  constructor(limits: SplitterLimits) {
    this.#limits = limits;
  }

  /**
   * Reads on. @returns whether a whole response is there; if not, the chunk is used up
   * @throws BrokerError TOO_LARGE when the response is over a limit
   */
  read(chunk: Buffer, from: number): boolean {
    this.at = from;
    for (;;) {
      if (!this.#fillLiteral(chunk)) return this.#keep();
      if (this.at >= chunk.length) return this.#keep();
      const lf = chunk.indexOf(LF, this.at);
      const end = lf < 0 ? chunk.length : lf + 1;
      this.#count(end - this.at);
      const piece = chunk.subarray(this.at, end);
      this.at = end;
      if (lf < 0 || this.#begun.length > 0) this.#begun.add(piece);
      if (lf < 0) return this.#keep();
      const line = this.#begun.length > 0 ? this.#begun.take() : piece;
      this.lines.push(line);
      const length = literalLength(line);
      if (length === undefined) return true;
      this.#begin(length);
    }
  }

  clear(): void {
    this.size = 0;
    this.lines.length = 0;
    this.literals.length = 0;
    this.#begun.clear();
    this.#lineBytes = 0;
    this.#missing = 0;
    this.#owned = 0;
  }

  #count(bytes: number): void {
    this.size += bytes;
    this.#lineBytes += bytes;
    const { lineBytes, responseBytes } = this.#limits;
    if (this.#lineBytes > lineBytes) throw tooLarge('bytes of a response without its literals', lineBytes);
    if (this.size > responseBytes) throw tooLarge('bytes of a response', responseBytes);
  }

  #begin(length: number): void {
    const { literalBytes, responseBytes } = this.#limits;
    if (length > literalBytes) throw tooLarge('bytes of a literal', literalBytes);
    this.size += length;
    if (this.size > responseBytes) throw tooLarge('bytes of a response', responseBytes);
    if (this.literals.length >= wireLimits.literals) throw tooLarge('literals of a response', wireLimits.literals);
    this.literals.push(this.#place(length));
    this.#missing = length;
  }

  #place(length: number): Buffer {
    const { landing } = this;
    if (length < SMALL_LITERAL || !landing || length > landing.length) return Buffer.allocUnsafe(length);
    this.landing = undefined;
    return landing.subarray(0, length);
  }

  /** The chunk ends within a response: what was read of its lines is kept as copies. */
  #keep(): false {
    for (; this.#owned < this.lines.length; this.#owned += 1) {
      this.lines[this.#owned] = Buffer.from(this.lines[this.#owned] as Buffer);
    }
    return false;
  }

  /** Copies octets to the last literal. @returns whether it is whole */
  #fillLiteral(chunk: Buffer): boolean {
    if (this.#missing === 0) return true;
    const literal = this.literals[this.literals.length - 1] as Buffer;
    const copied = chunk.copy(literal, literal.length - this.#missing, this.at);
    this.#missing -= copied;
    this.at += copied;
    return this.#missing === 0;
  }
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
