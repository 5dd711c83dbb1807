/** Undoes a content transfer encoding (RFC 2045 section 6) piece by piece; damaged input never throws. */
export interface TransferDecoder {
  push(bytes: Uint8Array): Buffer;
  end(): Buffer;
}

const [LF, CR, SPACE, GRAVE] = [0x0a, 0x0d, 0x20, 0x60];
/** Most characters of a line: a length, and four per three bytes, of at most 63 bytes. Longer lines are ignored. */
const LONGEST_LINE = 1 + 4 * 21 + 2;

/**
 * Decodes uuencode (POSIX), as in mail from before MIME: lines between `begin 644 name` and `end`, each of which begins
 * with its length. Both blanks and grave accents stand for zeros; blanks at the end of a line may be lost in transport.
 */
export class UuDecoder implements TransferDecoder {
  #held: Buffer = Buffer.alloc(0);
  #state: 'before' | 'inside' | 'behind' = 'before';

  push(bytes: Uint8Array): Buffer {
    const input = Buffer.concat([this.#held, bytes]);
    const end = input.lastIndexOf(LF) + 1;
    const rest = input.subarray(end);
    // Of a line that is too long, enough is held to recognise that it is too long.
    this.#held = Buffer.from(rest.subarray(0, 4 * LONGEST_LINE));
    return this.#decode(input.subarray(0, end));
  }

  end(): Buffer {
    const rest = Buffer.concat([this.#held, Buffer.of(LF)]);
    this.#held = Buffer.alloc(0);
    return this.#decode(rest);
  }

  #decode(input: Buffer): Buffer {
    const output = Buffer.allocUnsafe(mostBytes(input));
    let length = 0;
    for (let at = 0; at < input.length; ) {
      const lf = input.indexOf(LF, at);
      const end = lf < 0 ? input.length : lf;
      length = this.#line(input, at, input[end - 1] === CR && end > at ? end - 1 : end, output, length);
      at = end + 1;
    }
    return output.subarray(0, length);
  }

  /** @returns the length of the output afterwards */
  #line(input: Buffer, from: number, to: number, output: Buffer, written: number): number {
    if (this.#state === 'behind') return written;
    if (this.#state === 'before') {
      if (/^begin [0-7]{3,4} /.test(input.toString('latin1', from, Math.min(to, from + 12)))) this.#state = 'inside';
      return written;
    }
    if (to - from === 3 && input.toString('latin1', from, to) === 'end') {
      this.#state = 'behind';
      return written;
    }
    const count = to === from ? 0 : value(input[from]);
    if (count === 0 || to - from > LONGEST_LINE) return written;
    let length = written;
    const last = written + count;
    for (let at = from + 1; at < to && length < last; at += 4) {
      const [a, b, c, d] = [at, at + 1, at + 2, at + 3].map((one) => (one < to ? value(input[one]) : 0)) as Four;
      const bits = (a << 18) | (b << 12) | (c << 6) | d;
      for (const byte of [bits >> 16, (bits >> 8) & 0xff, bits & 0xff]) if (length < last) output[length++] = byte;
    }
    // Characters missing at the end of a line were blanks, that is zeros.
    output.fill(0, length, last);
    return last;
  }
}

/** Most decoded bytes, by the lengths that lines state: a line of zeros may have lost everything but its length. */
function mostBytes(input: Buffer): number {
  let most = 0;
  for (let at = 0; at < input.length; ) {
    most += value(input[at]);
    const lf = input.indexOf(LF, at);
    at = lf < 0 ? input.length : lf + 1;
  }
  return most;
}

type Four = [number, number, number, number];

function value(character: number | undefined): number {
  return character === undefined || character < SPACE || character > GRAVE ? 0 : (character - SPACE) & 0x3f;
}
