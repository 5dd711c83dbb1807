import type { DecodedText } from './shifting.js';

const [PLUS, MINUS] = [0x2b, 0x2d];
const REPLACEMENT = 0xfffd;
const UTF16 = new TextDecoder('utf-16le');

/** The value of each octet in base64; -1 for any other octet. */
const values = new Int8Array(256).fill(-1);
for (const [value, digit] of [...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'].entries()) {
  values[digit.charCodeAt(0)] = value;
}

/** UTF-7 (RFC 2152), in one pass: other decoders take some microseconds for each shift, and mail may have many. */
export function decodeUtf7(bytes: Uint8Array): DecodedText {
  const units = new Uint16Array(bytes.length);
  let length = 0;
  let problem = false;
  for (let at = 0; at < bytes.length; ) {
    const byte = bytes[at] ?? 0;
    at += 1;
    if (byte !== PLUS) {
      if (byte > 0x7f) problem = true;
      units[length++] = byte > 0x7f ? REPLACEMENT : byte;
      continue;
    }
    const begun = at;
    let [bits, pending] = [0, 0];
    for (
      let value = values[bytes[at] ?? 0] ?? -1;
      at < bytes.length && value >= 0;
      value = values[bytes[at] ?? 0] ?? -1
    ) {
      at += 1;
      bits = ((bits << 6) | value) & 0x3fffff;
      pending += 6;
      if (pending < 16) continue;
      pending -= 16;
      units[length++] = bits >> pending;
    }
    // `+-` is a plus; the minus that ends any other shift is no text.
    if (at === begun) units[length++] = PLUS;
    if (bytes[at] === MINUS) at += 1;
  }
  const text = UTF16.decode(units.subarray(0, length));
  return { text, problem: problem || text.includes('\uFFFD') };
}
