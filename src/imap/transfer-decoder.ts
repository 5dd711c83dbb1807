/** Undoes a content transfer encoding (RFC 2045 section 6) piece by piece; damaged input never throws. */
export interface TransferDecoder {
  push(bytes: Uint8Array): Buffer;
  end(): Buffer;
}

/** The decoder of an encoding's name; unknown ones pass bytes through, as 7bit, 8bit and binary do. */
export function transferDecoder(encoding: string | null): TransferDecoder {
  switch (encoding?.toLowerCase()) {
    case 'base64':
      return new Base64Decoder();
    case 'quoted-printable':
      return new QuotedPrintableDecoder();
    default:
      return { push: (bytes) => Buffer.from(bytes), end: () => Buffer.alloc(0) };
  }
}

/** Decodes at once. */
export function decodeTransfer(bytes: Uint8Array, encoding: string | null): Buffer {
  const decoder = transferDecoder(encoding);
  return Buffer.concat([decoder.push(bytes), decoder.end()]);
}

/** Passes over whatever is not in the alphabet, and over padding, so that joined or cut blocks still decode. */
class Base64Decoder implements TransferDecoder {
  #rest = '';

  push(bytes: Uint8Array): Buffer {
    const text =
      this.#rest +
      Buffer.from(bytes)
        .toString('latin1')
        .replace(/[^A-Za-z0-9+/=]+/g, '');
    // Padding in the middle ends a block: what follows it starts at a new boundary.
    const blocks = text.split(/=+/);
    const last = blocks.pop() ?? '';
    const whole = last.length - (last.length % 4);
    this.#rest = last.slice(whole);
    return Buffer.concat([...blocks, last.slice(0, whole)].map((block) => Buffer.from(block, 'base64')));
  }

  end(): Buffer {
    return Buffer.from(this.#rest, 'base64');
  }
}

const EQUALS = 61;
const LF = 10;

/** Keeps bad escapes as they are written (RFC 2045 section 6.7 note 1) and drops white space at line ends. */
class QuotedPrintableDecoder implements TransferDecoder {
  #rest: Buffer = Buffer.alloc(0);

  push(bytes: Uint8Array): Buffer {
    const input = Buffer.concat([this.#rest, bytes]);
    const end = input.lastIndexOf(LF) + 1;
    // Only whole lines: a soft break and trailing spaces show at their ends. A line without end is bounded.
    const upTo = input.length - end > 65_536 ? safeCut(input) : end;
    this.#rest = Buffer.from(input.subarray(upTo));
    return decodeLines(input.subarray(0, upTo));
  }

  end(): Buffer {
    const rest = decodeLines(this.#rest);
    this.#rest = Buffer.alloc(0);
    return rest;
  }
}

function safeCut(input: Buffer): number {
  const start = input.lastIndexOf(EQUALS);
  return start >= input.length - 3 && start > 0 ? start : input.length;
}

function decodeLines(lines: Buffer): Buffer {
  if (lines.length === 0) return lines;
  const text = lines
    .toString('latin1')
    .replace(/[ \t]+(?=\r?\n)/g, '')
    .replace(/=\r?\n/g, '')
    .replace(/=$/, '')
    .replace(/=([0-9A-Fa-f]{2})/g, (_match, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return Buffer.from(text, 'latin1');
}
