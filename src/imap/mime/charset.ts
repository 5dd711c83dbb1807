import { isAscii, isUtf8 } from 'node:buffer';
import iconv from 'iconv-lite';
import { isOfIconv, platformName } from './charset-names.js';
import { type DecodedText, shiftingDecoder } from './shifting.js';
import { decodeUtf7 } from './utf7.js';

/** Labels of ASCII or of no charset. TextDecoder reads ASCII as windows-1252, but 8-bit mail is then mostly UTF-8. */
const asciiLabels = new Set(['us-ascii', 'ascii', 'ansi_x3.4-1968', '7bit', '8bit', 'unknown-8bit']);
const REPLACEMENT = 0xfffd;
const utf7 = /^(?:cs)?(?:unicode-1-1-)?utf-?7$/;

/**
 * Charset names in mail, with the names that TextDecoder and iconv-lite use. A Map, because the sender of a mail chooses
 * the name that is looked up.
 */
const otherNames = new Map([
  ['x-mac-ce', 'maccenteuro'],
  ['x-mac-centraleurroman', 'maccenteuro'],
  ['x-mac-romania', 'macromania'],
  ['x-mac-romanian', 'macromania'],
  ['x-mac-icelandic', 'maciceland'],
  ['x-mac-japanese', 'shift_jis'],
  ['x-mac-korean', 'euc-kr'],
  ['x-mac-chinesesimp', 'gbk'],
  ['x-mac-chinesetrad', 'big5'],
  ['ks_c_5601', 'euc-kr'],
  ['x-windows-949', 'euc-kr'],
]);

/**
 * Decodes a body or header by its declared charset. Never throws: bytes that do not fit are read as UTF-8, else as
 * windows-1252, in which every byte is a character.
 * @param cut whether the bytes may end within a character; such a character is left out
 */
export function decodeCharset(bytes: Uint8Array, declared: string | null, cut = false): DecodedText {
  const label = (declared ?? '')
    .trim()
    .toLowerCase()
    .replace(/^["']|["']$/g, '');
  const ascii = label === '' || asciiLabels.has(label);
  const shifting = ascii || label === 'utf-8' ? undefined : shiftingDecoder(label);
  if (shifting) return decodeShifting(bytes, shifting, cut);
  if (utf7.test(label)) return decodeUtf7(bytes);
  const platform = ascii ? undefined : platformName(otherNames.get(label) ?? label);
  // Fast path for most mail: the check is cheaper than decoding.
  if ((ascii || platform === 'utf-8') && isAscii(bytes)) return { text: latin1Text(bytes), problem: false };
  if (ascii) return decodeUndeclared(bytes, label !== '', cut);
  if (platform === 'utf-8') return decodeUtf8(bytes, cut);
  if (platform === 'utf-16le' || platform === 'utf-16be') return decodeUtf16(bytes, label, platform, cut);
  // Node's own windows-1252 is ISO-8859-1 in some versions.
  if (platform === 'windows-1252') return decodeWithIconv(bytes, platform, cut);
  if (platform) return decodeWithPlatform(bytes, platform, cut);
  const supported = iconvName(label);
  return supported ? decodeWithIconv(bytes, supported, cut) : { text: guess(bytes, cut), problem: true };
}

/** Whether a label names a charset that {@link decodeCharset} knows. */
export function knowsCharset(label: string): boolean {
  const name = label.trim().toLowerCase();
  if (asciiLabels.has(name) || shiftingDecoder(name) || platformName(otherNames.get(name) ?? name)) return true;
  return iconvName(name) !== undefined;
}

/** The name of a charset with two or four octets for each character; undefined for any other. */
export function wideCharset(label: string | null, begin: Uint8Array): string | undefined {
  const name =
    label
      ?.trim()
      .toLowerCase()
      .replace(/^["']|["']$/g, '') ?? '';
  if (!/^(cs)?(unicode|iso-10646-ucs|ucs|utf-?(16|32))/.test(name) || !knowsCharset(name)) return undefined;
  const [first, second, third, fourth] = begin;
  const four = /32|ucs-?4/.test(name);
  if (first === 0xfe && second === 0xff) return 'utf-16be';
  if (first === 0xff && second === 0xfe && !(third === 0 && fourth === 0)) return 'utf-16le';
  const platform = platformName(name);
  if (!four && platform) return /(le|be)$/.test(name) ? platform : 'utf-16';
  return iconvName(name);
}

function iconvName(label: string): string | undefined {
  return [otherNames.get(label), label, label.replace(/^x-/, '')].find((name) => name && isOfIconv(name));
}

/** Whether octets contain any shift between alphabets. */
function shifts(bytes: Uint8Array): boolean {
  return bytes.includes(0x1b) || bytes.includes(0x0e) || bytes.includes(0x7e);
}

/** Decodes by the label, unless the octets have no shifts and their 8-bit characters are UTF-8. */
function decodeShifting(bytes: Uint8Array, decode: (bytes: Uint8Array) => DecodedText, cut: boolean): DecodedText {
  if (!isAscii(bytes) && !shifts(bytes)) {
    const text = strictly(bytes, 'utf-8', cut);
    if (text !== undefined) return { text, problem: true };
  }
  return decode(bytes);
}

/** The byte order: by the byte order mark, else by the name; without both it is detected from the text. */
function decodeUtf16(bytes: Uint8Array, label: string, platform: string, cut: boolean): DecodedText {
  const [first, second] = bytes;
  if (first === 0xfe && second === 0xff) return decodeWithPlatform(bytes, 'utf-16be', cut);
  if (first === 0xff && second === 0xfe) return decodeWithPlatform(bytes, 'utf-16le', cut);
  if (/(le|be)$/.test(label)) return decodeWithPlatform(bytes, platform, cut);
  return decodeWithIconv(bytes, 'utf-16', cut);
}

/** Decodes 8-bit octets that are declared as ASCII, or without a charset. */
function decodeUndeclared(bytes: Uint8Array, declared: boolean, cut: boolean): DecodedText {
  const text = strictly(bytes, 'utf-8', cut);
  if (text === undefined) return { text: guess(bytes, cut), problem: true };
  // Without a declaration mail readers assume UTF-8 today.
  return { text, problem: declared };
}

function decodeUtf8(bytes: Uint8Array, cut: boolean): DecodedText {
  const text = strictly(bytes, 'utf-8', cut);
  if (text !== undefined) return { text, problem: false };
  const loose = cut ? new TextDecoder('utf-8').decode(bytes, { stream: true }) : wholeUtf8.decode(bytes);
  // Half a character of UTF-16 counts as half: a loop over code points, or over pieces, takes several times as long.
  let [damaged, whole] = [0, 0];
  for (let at = 0; at < loose.length; at += 1) {
    const unit = loose.charCodeAt(at);
    if (unit === REPLACEMENT) damaged += 1;
    else if (unit > 0x7f) whole += unit >= 0xd800 && unit < 0xe000 ? 0.5 : 1;
  }
  // A few invalid bytes in a text that is otherwise UTF-8 must not garble the whole text.
  return { text: whole > damaged ? loose : guess(bytes, cut), problem: true };
}

function decodeWithPlatform(bytes: Uint8Array, name: string, cut: boolean): DecodedText {
  const text = strictly(bytes, name, cut);
  if (text !== undefined) return { text, problem: false };
  return { text: strictly(bytes, 'utf-8', cut) ?? new TextDecoder(name).decode(bytes, { stream: cut }), problem: true };
}

function decodeWithIconv(bytes: Uint8Array, name: string, cut: boolean): DecodedText {
  const decoder = iconv.getDecoder(name);
  const begun = decoder.write(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  const text = cut ? begun : begun + (decoder.end() ?? '');
  return { text, problem: text.includes('\uFFFD') };
}

function guess(bytes: Uint8Array, cut: boolean): string {
  const utf8 = strictly(bytes, 'utf-8', cut);
  if (utf8 !== undefined) return utf8;
  // Without 0x80 to 0x9F it is the same as ISO-8859-1, which takes no decoder.
  const text = latin1Text(bytes);
  return hasC1(text) ? decodeWithIconv(bytes, 'windows-1252', cut).text : text;
}

function hasC1(text: string): boolean {
  return /[\u0080-\u009f]/.test(text);
}

function strictly(bytes: Uint8Array, name: string, cut: boolean): string | undefined {
  // A check is cheap, an exception of TextDecoder is not. A decoder for cut text cannot be shared: it keeps state.
  if (name === 'utf-8' && !cut) return isUtf8(bytes) ? wholeUtf8.decode(bytes) : undefined;
  try {
    return new TextDecoder(name, { fatal: true }).decode(bytes, { stream: cut });
  } catch {
    return undefined;
  }
}

function latin1Text(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
}

const wholeUtf8 = new TextDecoder('utf-8');
