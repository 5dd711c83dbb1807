const [LF, CR] = [0x0a, 0x0d];

/** Base64 whose lines are all as long as the first, so that the position of each decoded byte is known. */
export interface Base64Layout {
  /** Digits of a line, and bytes of a line including the line end. */
  digits: number;
  line: number;
}

/** The range of encoded bytes that contains a range of decoded ones. */
export interface EncodedRange {
  from: number;
  to: number;
  /** Decoded bytes at the beginning that precede the wanted range. */
  skip: number;
}

const isDigit = new Uint8Array(256);
for (const digit of 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/')
  isDigit[digit.charCodeAt(0)] = 1;

/** Lines at the end of a part that may be short and padded. */
const LAST_LINES = 2;

/** The layout of a part, by its beginning; undefined where the first line is not regular base64. */
export function layoutOf(head: Buffer): Base64Layout | undefined {
  const lf = head.indexOf(LF);
  const digits = head[lf - 1] === CR ? lf - 1 : lf;
  for (let at = 0; at < digits; at += 1) if (isDigit[head[at] ?? 0] === 0) return undefined;
  return digits > 0 && digits % 4 === 0 ? { digits, line: lf + 1 } : undefined;
}

/** The lines that contain the decoded bytes, and a few lines before them, by which the layout can be checked. */
export function encodedRange({ digits, line }: Base64Layout, from: number, to: number): EncodedRange {
  const bytes = (digits * 3) / 4;
  const first = Math.max(0, Math.floor(from / bytes) - LAST_LINES - 1);
  return { from: first * line, to: Math.ceil(to / bytes) * line, skip: from - first * bytes };
}

/**
 * Whether the bytes from an offset on follow the layout: digits and line ends at the expected positions. An irregular
 * line before the offset shows as well, because it shifts the line ends.
 */
export function follows({ digits, line }: Base64Layout, bytes: Buffer, from: number, encodedSize: number): boolean {
  const end = Math.min(bytes.length, encodedSize - LAST_LINES * line - from);
  let column = from % line;
  for (let at = 0; at < end; at += 1) {
    const byte = bytes[at] ?? 0;
    if (column < digits ? isDigit[byte] === 0 : byte !== (column === line - 1 ? LF : CR)) return false;
    column = column + 1 === line ? 0 : column + 1;
  }
  return true;
}
