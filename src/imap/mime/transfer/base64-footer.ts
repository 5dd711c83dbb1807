const EQUALS = 0x3d;
/** A character that base64 cannot have: neither a digit, nor padding, nor a line end. */
const foreign = /[^A-Za-z0-9+/=\r\n]/;
/** The line that mailing lists draw above their footer. */
const ruler = /^[_-]{10,}[ \t]*\r?$/m;

/**
 * Splits base64 from a footer that a mailing list has appended without encoding it. A footer begins after the padding,
 * or with a line of underscores or hyphens; base64 that continues after its padding is no footer.
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
