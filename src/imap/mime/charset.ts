import { isAscii, isUtf8 } from 'node:buffer';
import iconv from 'iconv-lite';
import { type DecodedText, shiftingDecoder } from './shifting.js';

/** The platform takes these for windows-1252, but mail that says so is more often unlabelled UTF-8. */
const asciiLabels = new Set(['us-ascii', 'ascii', 'ansi_x3.4-1968', '7bit', '8bit', 'unknown-8bit']);
/** iconv-lite takes these for charsets, as Buffer does. */
const noCharsets = new Set(['base64', 'hex', 'binary', 'utf7imap']);
const REPLACEMENT = '\uFFFD';

/** Names that mail uses, of charsets that the platform and iconv-lite have under other ones. */
const otherNames: Record<string, string> = {
  'x-mac-ce': 'maccenteuro',
  'x-mac-centraleurroman': 'maccenteuro',
  'x-mac-romania': 'macromania',
  'x-mac-romanian': 'macromania',
  'x-mac-icelandic': 'maciceland',
  'x-mac-japanese': 'shift_jis',
  'x-mac-korean': 'euc-kr',
  'x-mac-chinesesimp': 'gbk',
  'x-mac-chinesetrad': 'big5',
  ks_c_5601: 'euc-kr',
  'x-windows-949': 'euc-kr',
};

/**
 * Decodes a body or header by its declared charset. Never throws: what fits nothing is read as UTF-8, else as
 * windows-1252, in which every byte is a character.
 * @param cut whether the bytes may end within a character, which is left out then
 */
export function decodeCharset(bytes: Uint8Array, declared: string | null, cut = false): DecodedText {
  const label = (declared ?? '')
    .trim()
    .toLowerCase()
    .replace(/^["']|["']$/g, '');
  const ascii = label === '' || asciiLabels.has(label);
  const shifting = ascii || label === 'utf-8' ? undefined : shiftingDecoder(label);
  if (shifting) return decodeShifting(bytes, shifting, cut);
  const platform = ascii ? undefined : platformName(otherNames[label] ?? label);
  // Most mail, and to look is cheaper than to decode.
  if ((ascii || platform === 'utf-8') && isAscii(bytes)) return { text: latin1(bytes), problem: false };
  if (ascii) return decodeUndeclared(bytes, label !== '', cut);
  if (platform === 'utf-8') return decodeUtf8(bytes, cut);
  if (platform === 'utf-16le' || platform === 'utf-16be') return decodeUtf16(bytes, label, platform, cut);
  // Node's own windows-1252 is ISO-8859-1 in some versions.
  if (platform === 'windows-1252') return decodeWithIconv(bytes, platform, cut);
  if (platform) return decodeWithPlatform(bytes, platform, cut);
  // It knows what the platform does not, utf-7 and the code pages of DOS above all.
  const known = [otherNames[label], label, label.replace(/^x-/, '')].find((name) => name && isCharset(name));
  return known ? decodeWithIconv(bytes, known, cut) : { text: guess(bytes, cut), problem: true };
}

function isCharset(name: string): boolean {
  return iconv.encodingExists(name) && !noCharsets.has(name.replace(/[^a-z0-9]/g, ''));
}

/** Whether octets shift between alphabets at all. */
function shifts(bytes: Uint8Array): boolean {
  return bytes.includes(0x1b) || bytes.includes(0x0e) || bytes.includes(0x7e);
}

/** Only where nothing shifts and octets of eight bits are UTF-8 is the label wrong. */
function decodeShifting(bytes: Uint8Array, decode: (bytes: Uint8Array) => DecodedText, cut: boolean): DecodedText {
  if (!isAscii(bytes) && !shifts(bytes)) {
    const text = strictly(bytes, 'utf-8', cut);
    if (text !== undefined) return { text, problem: true };
  }
  return decode(bytes);
}

/** The mark at the beginning counts, else the name; UTF-16 without both is what it looks like. */
function decodeUtf16(bytes: Uint8Array, label: string, platform: string, cut: boolean): DecodedText {
  const [first, second] = bytes;
  if (first === 0xfe && second === 0xff) return decodeWithPlatform(bytes, 'utf-16be', cut);
  if (first === 0xff && second === 0xfe) return decodeWithPlatform(bytes, 'utf-16le', cut);
  if (/(le|be)$/.test(label)) return decodeWithPlatform(bytes, platform, cut);
  return decodeWithIconv(bytes, 'utf-16', cut);
}

/** Octets of eight bits that are declared as ASCII, or as nothing. */
function decodeUndeclared(bytes: Uint8Array, declared: boolean, cut: boolean): DecodedText {
  const text = strictly(bytes, 'utf-8', cut);
  if (text === undefined) return { text: guess(bytes, cut), problem: true };
  // Without a declaration UTF-8 is what mail readers assume today.
  return { text, problem: declared };
}

function decodeUtf8(bytes: Uint8Array, cut: boolean): DecodedText {
  const text = strictly(bytes, 'utf-8', cut);
  if (text !== undefined) return { text, problem: false };
  const loose = new TextDecoder('utf-8').decode(bytes, { stream: cut });
  const damaged = loose.split(REPLACEMENT).length - 1;
  let whole = 0;
  for (const character of loose) if (character > '\u007f' && character !== REPLACEMENT) whole += 1;
  // A few bad bytes in what is UTF-8 otherwise must not turn all of it into nonsense.
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
  return { text, problem: text.includes(REPLACEMENT) };
}

function guess(bytes: Uint8Array, cut: boolean): string {
  return strictly(bytes, 'utf-8', cut) ?? decodeWithIconv(bytes, 'windows-1252', cut).text;
}

function strictly(bytes: Uint8Array, name: string, cut: boolean): string | undefined {
  // To look first is cheap, an error of the platform is not. A decoder of what is cut cannot be shared: it has a memory.
  if (name === 'utf-8' && !cut) return isUtf8(bytes) ? wholeUtf8.decode(bytes) : undefined;
  try {
    return new TextDecoder(name, { fatal: true }).decode(bytes, { stream: cut });
  } catch {
    return undefined;
  }
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
}

const wholeUtf8 = new TextDecoder('utf-8');
/** The platform's names by label: of those that it knows alone, so that mail cannot make it grow. */
const platformNames = new Map<string, string>();

function platformName(label: string): string | undefined {
  const known = platformNames.get(label);
  if (known) return known;
  try {
    const { encoding } = new TextDecoder(label);
    platformNames.set(label, encoding);
    return encoding;
  } catch {
    return undefined;
  }
}
