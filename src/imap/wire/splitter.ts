import { tooLarge } from './errors.js';
import { wireLimits } from './limits.js';
import { Pieces } from './pieces.js';

/** Literals below this size get a new buffer, which costs almost nothing. */
const SMALL_LITERAL = 64 * 1024;

/** Bytes at the end of a line that show whether a literal follows. */
const MARK_BYTES = 32;
/** Bytes at the beginning of a response that show its keyword. */
const HEAD_BYTES = 24;
/** Responses that consist of numbers: their length may grow with the number of messages. */
const ofNumbers = /^\* (?:SEARCH|ESEARCH|SORT|THREAD|VANISHED)\b/i;

const [LF, CR, ZERO, NINE, BRACE, BRACE_END] = [0x0a, 0x0d, 0x30, 0x39, 0x7b, 0x7d];

/** Limits in bytes of one response. */
export interface SplitterLimits {
  lineBytes: number;
  /** Bytes of the lines that are kept; lists of numbers are kept whole. */
  keptBytes: number;
  literalBytes: number;
  /** Bytes of lines and literals together. */
  responseBytes: number;
}

/**
 * Splits the bytes of a server into responses: lines, and the literals between them (RFC 9051 section 2.2). Chunks may
 * end anywhere. The octets of a literal are copied once, to their final place, and no chunk is kept.
 */
export class Splitter {
  /** Offset in the chunk where reading stopped. */
  at = 0;
  /** Memory for the octets of a large literal; taken by the first one that fits. */
  landing: Buffer | undefined;
  /** Bytes of the response so far, including announced literals that have not arrived yet. */
  size = 0;
  /** Whether the response is too long to be kept: the rest of the current line, and all that follows, is skipped. */
  cut = false;
  /** Lines of the response; each but the last ends in the `{n}` of a literal. Share the chunk's memory until `keep`. */
  readonly lines: Buffer[] = [];
  readonly literals: Buffer[] = [];
  readonly #limits: SplitterLimits;
  /** Octets of the last literal that have not arrived yet. */
  #missing = 0;
  /** The beginning of the current line from earlier chunks. */
  readonly #begun = new Pieces();
  #lineBytes = 0;
  /** The last bytes of the line that is being skipped. */
  #mark = Buffer.alloc(0);
  /** Number of lines that are copies already. */
  #owned = 0;

  constructor(limits: SplitterLimits) {
    this.#limits = limits;
  }

  /**
   * Reads from a chunk. @returns whether a response is complete; if not, the chunk is used up
   * @throws BrokerError TOO_LARGE when the response is over a limit
   */
  read(chunk: Buffer, from: number): boolean {
    this.at = from;
    for (;;) {
      if (!this.#fillLiteral(chunk)) return this.keep();
      if (this.at >= chunk.length) return this.keep();
      const lf = chunk.indexOf(LF, this.at);
      const end = lf < 0 ? chunk.length : lf + 1;
      this.#count(end - this.at);
      const piece = chunk.subarray(this.at, end);
      this.at = end;
      if (!this.cut && this.#lineBytes > this.#limits.keptBytes && !this.#isOfNumbers(piece)) this.#cutOff(piece);
      const line = this.cut ? this.#passOver(piece, lf >= 0) : this.#read(piece, lf >= 0);
      if (!line) return this.keep();
      const length = literalLength(line);
      if (length === undefined) return true;
      this.#begin(length);
    }
  }

  clear(): void {
    this.size = 0;
    this.cut = false;
    this.lines.length = 0;
    this.literals.length = 0;
    this.#begun.clear();
    this.#lineBytes = 0;
    this.#mark = Buffer.alloc(0);
    this.#missing = 0;
    this.#owned = 0;
  }

  /** Replaces the lines read so far by copies, because the memory of the chunk is about to be reused. */
  keep(): false {
    for (; this.#owned < this.lines.length; this.#owned += 1) {
      this.lines[this.#owned] = Buffer.from(this.lines[this.#owned] as Buffer);
    }
    return false;
  }

  /** @returns the line that ends with the piece; undefined where the line goes on */
  #read(piece: Buffer, ends: boolean): Buffer | undefined {
    const begun = this.#begun.length > 0;
    if (!ends || begun) this.#begun.add(piece);
    if (!ends) return undefined;
    const line = begun ? this.#begun.take() : piece;
    this.lines.push(line);
    // The lines before one that began in an earlier chunk are copies, too.
    if (begun) this.#owned = this.lines.length;
    return line;
  }

  /** @returns the end of the line that ends with the piece; undefined where the line goes on */
  #passOver(piece: Buffer, ends: boolean): Buffer | undefined {
    const mark = Buffer.concat([this.#mark, piece.subarray(-MARK_BYTES)]).subarray(-MARK_BYTES);
    this.#mark = ends ? Buffer.alloc(0) : mark;
    return ends ? mark : undefined;
  }

  #isOfNumbers(piece: Buffer): boolean {
    const [first = piece] = this.lines;
    const begun = this.lines.length === 0 && this.#begun.length > 0;
    return ofNumbers.test(begun ? this.#begun.head(HEAD_BYTES) : first.toString('latin1', 0, HEAD_BYTES));
  }

  /** Keeps as much of the current line as the limit allows; the rest is skipped. */
  #cutOff(piece: Buffer): void {
    this.cut = true;
    const before = this.#lineBytes - piece.length;
    this.#begun.add(piece.subarray(0, Math.max(0, this.#limits.keptBytes - before)));
    this.lines.push(this.#begun.take());
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
    if (!this.cut) this.literals.push(this.#place(length));
    this.#missing = length;
  }

  #place(length: number): Buffer {
    const { landing } = this;
    if (length < SMALL_LITERAL || !landing || length > landing.length) return Buffer.allocUnsafe(length);
    this.landing = undefined;
    return landing.subarray(0, length);
  }

  /** Copies octets to the last literal, or skips them. @returns whether the literal is complete */
  #fillLiteral(chunk: Buffer): boolean {
    if (this.#missing === 0) return true;
    if (this.cut) {
      const passed = Math.min(this.#missing, chunk.length - this.at);
      this.#missing -= passed;
      this.at += passed;
      return this.#missing === 0;
    }
    const literal = this.literals[this.literals.length - 1] as Buffer;
    const copied = chunk.copy(literal, literal.length - this.#missing, this.at);
    this.#missing -= copied;
    this.at += copied;
    return this.#missing === 0;
  }
}

/** The n of a line that ends in `{n}`; undefined for other lines. */
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
