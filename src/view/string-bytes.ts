const beyondLatin1 = /[^\0-\xff]/;
const digits = Buffer.from('0123456789abcdef');
const [BACKSLASH = 0, U = 0] = Buffer.from('\\u');

/** Bytes of a string in V8: a header, and one per character, or two when any is beyond Latin-1; rounded up to eight. */
export function bytesOfString(text: string): number {
  const width = beyondLatin1.test(text) ? 2 : 1;
  return 16 + 8 * Math.ceil((text.length * width) / 8);
}

/**
 * The same JSON in a string that takes less memory. A single character beyond Latin-1, in a name for example, makes V8
 * use two bytes for every character of the string. Escaped, that character costs six bytes, and every other costs one.
 */
export function inFewBytes(json: string): string {
  // Through bytes in any case: other strings derived from a string of two-byte characters have two-byte ones too.
  if (!beyondLatin1.test(json)) return Buffer.from(json, 'latin1').toString('latin1');
  const most = json.length * 2;
  const bytes = Buffer.allocUnsafe(most);
  let length = 0;
  for (let index = 0; index < json.length && length < most; index += 1) {
    const code = json.charCodeAt(index);
    if (code > 0xff) length = escapeTo(bytes, length, code);
    else bytes[length++] = code;
  }
  return length < most ? bytes.toString('latin1', 0, length) : json;
}

function escapeTo(bytes: Buffer, at: number, code: number): number {
  bytes[at] = BACKSLASH;
  bytes[at + 1] = U;
  for (let digit = 0; digit < 4; digit += 1) bytes[at + 2 + digit] = digits[(code >> (12 - 4 * digit)) & 15] ?? 0;
  return at + 6;
}
