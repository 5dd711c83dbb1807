const EQUALS = 0x3d;
/** What no base64 has: a blank within a line, and what is neither a digit of it nor a line end. */
const foreign = /[^A-Za-z0-9+/=\r\n]/;
/** The lines that mailing lists draw above what they add. */
const ruler = /^[_-]{10,}[ \t]*\r?$/m;

/**
 * Divides what should be base64 from a footer that a mailing list has put behind it without encoding it. A footer begins
 * behind the padding, or with a line of underscores or hyphens; base64 that goes on behind its padding is none.
 */
export function splitFooter(encoded: Buffer): [body: Buffer, footer: Buffer | undefined] {
  const text = encoded.toString('latin1');
  const padding = encoded.indexOf(EQUALS);
  if (padding >= 0) {
    let end = padding;
    while (encoded[end] === EQUALS) end += 1;
    if (foreign.test(text.slice(end))) return [encoded.subarray(0, end), encoded.subarray(end)];
  }
  const drawn = ruler.exec(text);
  return drawn ? [encoded.subarray(0, drawn.index), encoded.subarray(drawn.index)] : [encoded, undefined];
}
