import { decodeRegularLines } from './base64-lines.js';
import { type TransferDecoder, UuDecoder } from './uudecode.js';

/**
 * The decoder for a named encoding; for an unknown encoding, as for 7bit, 8bit and binary, bytes pass unchanged.
 * @param inPlace whether the decoder may overwrite its input, which the caller must not use any more
 */
export function transferDecoder(encoding: string | null, inPlace = false): TransferDecoder {
  switch (encoding) {
    case 'base64':
      return new Base64Decoder(inPlace);
    case 'quoted-printable':
      return new QuotedPrintableDecoder();
    default:
      return isIdentity(encoding) ? { push: asBuffer, end: () => Buffer.alloc(0) } : new UuDecoder();
  }
}

/** Names of uuencode as a transfer encoding. */
const uuencodings = new Set(['x-uuencode', 'uuencode', 'x-uue', 'uue']);

/** Whether an encoding leaves all bytes unchanged. */
export function isIdentity(encoding: string | null): boolean {
  return encoding === null || !(encoding === 'base64' || encoding === 'quoted-printable' || uuencodings.has(encoding));
}

/** Decodes all bytes in one call. */
export function decodeTransfer(bytes: Uint8Array, encoding: string | null): Buffer {
  const decoder = transferDecoder(encoding);
  return Buffer.concat([decoder.push(bytes), decoder.end()]);
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const NONE = 255;
const sextets = new Uint8Array(256).fill(NONE);
for (let value = 0; value < alphabet.length; value += 1) sextets[alphabet.charCodeAt(value)] = value;

/**
 * Skips all bytes that are not in the alphabet (RFC 2045 section 6.8). Padding ends a block and a new one begins, so
 * that joined and cut blocks still decode. Decodes byte by byte, except regular lines.
 */
class Base64Decoder implements TransferDecoder {
  readonly #inPlace: boolean;
  #bits = 0;
  #count = 0;

  constructor(inPlace: boolean) {
    this.#inPlace = inPlace;
  }

  push(bytes: Uint8Array): Buffer {
    const input = asBuffer(bytes);
    // In place is safe: the output is never longer than the input read so far.
    const output = this.#inPlace ? input : Buffer.allocUnsafe(Math.ceil((input.length * 3) / 4) + 1);
    // A piece may begin in the middle of a line.
    let at = input.indexOf(LF) + 1;
    let length = this.#decode(input, 0, at, output, 0);
    if (this.#count === 0) {
      const { end, written } = decodeRegularLines(input, at, output, length);
      at = end;
      length += written;
    }
    return output.subarray(0, this.#decode(input, at, input.length, output, length));
  }

  /** @returns the length of the output afterwards */
  #decode(input: Buffer, from: number, to: number, output: Buffer, offset: number): number {
    let length = offset;
    let bits = this.#bits;
    let count = this.#count;
    for (let at = from; at < to; at += 1) {
      const byte = input[at] ?? 0;
      const sextet = sextets[byte] ?? NONE;
      if (sextet !== NONE) {
        bits = ((bits << 6) | sextet) & 0xfff;
        count += 6;
        if (count >= 8) {
          count -= 8;
          output[length++] = (bits >> count) & 0xff;
        }
      } else if (byte === EQUALS) {
        count = 0;
      }
    }
    this.#bits = bits;
    this.#count = count;
    return length;
  }

  /** Fewer than eight bits are left, which are no byte. */
  end(): Buffer {
    return Buffer.alloc(0);
  }
}

const SPACE = 0x20;
const TAB = 0x09;
const LF = 0x0a;
const CR = 0x0d;
const EQUALS = 0x3d;
/** Most bytes of white space and escapes that are held back at the end of a piece until the next piece. */
const MOST_HELD = 64 * 1024;

/** Keeps invalid escapes as they are (RFC 2045 section 6.7 note 1) and drops white space at line ends. */
class QuotedPrintableDecoder implements TransferDecoder {
  #held: Buffer = Buffer.alloc(0);

  push(bytes: Uint8Array): Buffer {
    const input = this.#held.length === 0 ? asBuffer(bytes) : Buffer.concat([this.#held, bytes]);
    const whole = wholeLength(input);
    const upTo = input.length - whole > MOST_HELD ? input.length : whole;
    this.#held = Buffer.from(input.subarray(upTo));
    return decodeQuotedPrintable(input.subarray(0, upTo));
  }

  end(): Buffer {
    const rest = decodeQuotedPrintable(this.#held);
    this.#held = Buffer.alloc(0);
    return rest;
  }
}

/** Length of the input whose meaning does not depend on later bytes. */
function wholeLength(input: Buffer): number {
  let end = input.length;
  while (end > 0 && isBlankByte(input[end - 1])) end -= 1;
  // `=` alone, followed by blanks, or followed by the first of its two digits.
  if (input[end - 1] === EQUALS) return end - 1;
  if (end === input.length && input[end - 2] === EQUALS) return end - 2;
  return end;
}

/** Decodes quoted-printable in one call, in linear time. */
export function decodeQuotedPrintable(input: Buffer): Buffer {
  const output = Buffer.allocUnsafe(input.length);
  let length = 0;
  for (let at = 0; at < input.length; ) {
    const byte = input[at] ?? 0;
    if (byte === SPACE || byte === TAB) {
      const end = behindBlanks(input, at);
      // Blanks at the end of a line were added in transport (RFC 2045 section 6.7 rule 3).
      if (end < input.length && !isLineEnd(input, end)) length += input.copy(output, length, at, end);
      at = end;
    } else if (byte === EQUALS) {
      const value = escaped(input, at);
      const end = value === undefined ? behindBlanks(input, at + 1) : at + 3;
      if (value !== undefined) {
        output[length++] = value;
        at = end;
      } else if (end >= input.length || isLineEnd(input, end)) {
        at = end >= input.length ? end : end + (input[end] === CR ? 2 : 1);
      } else {
        output[length++] = byte;
        at += 1;
      }
    } else {
      output[length++] = byte;
      at += 1;
    }
  }
  return output.subarray(0, length);
}

function behindBlanks(input: Buffer, from: number): number {
  let at = from;
  while (input[at] === SPACE || input[at] === TAB) at += 1;
  return at;
}

function isLineEnd(input: Buffer, at: number): boolean {
  return input[at] === LF || (input[at] === CR && input[at + 1] === LF);
}

function isBlankByte(byte: number | undefined): boolean {
  return byte === SPACE || byte === TAB || byte === CR;
}

function escaped(input: Buffer, at: number): number | undefined {
  const high = digit(input[at + 1]);
  const low = digit(input[at + 2]);
  return high === undefined || low === undefined ? undefined : high * 16 + low;
}

function digit(byte: number | undefined): number | undefined {
  if (byte === undefined) return undefined;
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const letter = byte & 0xdf;
  return letter >= 0x41 && letter <= 0x46 ? letter - 0x37 : undefined;
}
