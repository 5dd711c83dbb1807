/** Decoded text, and whether the decoding had a problem. */
export interface DecodedText {
  text: string;
  /** Whether the bytes did not fit the declared charset, or the charset is unknown; the text is then a guess. */
  problem: boolean;
}

/**
 * Decoders of 7-bit charsets that shift between alphabets: ISO-2022-JP (RFC 1468, 1554, 2237), ISO-2022-KR (RFC 1557),
 * ISO-2022-CN (RFC 1922) and HZ (RFC 1843). Decoders of web browsers refuse what is common in mail: adjacent escapes,
 * redundant escapes, lines that end within a shift. Here an invalid octet affects only its own character.
 */
export function shiftingDecoder(label: string): ((bytes: Uint8Array) => DecodedText) | undefined {
  const name = label.replace(/[-_]/g, '');
  if (/^(x?iso2022jp|csiso2022jp|x?cp5022[0-2]|jis7?$|jisencoding)/.test(name)) return decodeJapanese;
  if (/^(iso2022kr|csiso2022kr)/.test(name)) return (bytes) => decodeIso2022(bytes, korean);
  if (/^(iso2022cn|csiso2022cn)/.test(name)) return (bytes) => decodeIso2022(bytes, chinese);
  if (/^(hz|hzgb2312|xhzgb2312)$/.test(name)) return decodeHz;
  return undefined;
}

const [ESC, SO, SI, LF, CR, TILDE] = [0x1b, 0x0e, 0x0f, 0x0a, 0x0d, 0x7e];
const [DOLLAR, PARENTHESIS] = [0x24, 0x28];
const [SINGLE_SHIFT_2, SINGLE_SHIFT_3] = [0x8e, 0x8f];
type Decoder = InstanceType<typeof TextDecoder>;
const EUC_JP = new TextDecoder('euc-jp');
const EUC_KR = new TextDecoder('euc-kr');
const GBK = new TextDecoder('gbk');

/** The alphabet of an octet: ASCII, half-width katakana, or a set with two octets per character. */
type Alphabet = 'ascii' | 'katakana' | 'double' | 'supplement';

/** By the octets after ESC. Looked up by number: mail of nothing but escapes has hundreds of thousands. */
const japanese = new Map<number, Alphabet>();
const japaneseDesignations: readonly (readonly [string, Alphabet])[] = [
  ['(B', 'ascii'],
  ['(J', 'ascii'],
  ['(H', 'ascii'],
  ['(I', 'katakana'],
  ['$@', 'double'],
  ['$B', 'double'],
  ['$(@', 'double'],
  ['$(B', 'double'],
  ['$(O', 'double'],
  ['$(Q', 'double'],
  ['$(D', 'supplement'],
];
for (const [sequence, alphabet] of japaneseDesignations) japanese.set(keyOf(sequence), alphabet);
/** Designations that announce the set to which SO shifts, and the decoder of that set. */
const korean = { designations: new Set(['$)C'].map(keyOf)), shifted: EUC_KR };
const chinese = {
  designations: new Set(['$)A', '$)G', '$)E', '$*H', '$+I', '$+J', '$+K', '$+L', '$+M'].map(keyOf)),
  shifted: GBK,
};

/** Decodes by way of EUC-JP, which has the same character sets, distinguished by the eighth bit. */
function decodeJapanese(bytes: Uint8Array): DecodedText {
  const out = new Octets(bytes.length);
  let alphabet: Alphabet = 'ascii';
  let before: Alphabet = 'ascii';
  for (let at = 0; at < bytes.length; ) {
    const byte = bytes[at] ?? 0;
    const escaped = byte === ESC && (bytes[at + 1] === DOLLAR || bytes[at + 1] === PARENTHESIS);
    const long = escaped ? japanese.get(keyAt(bytes, at + 1, 3)) : undefined;
    const designated = long ?? (escaped ? japanese.get(keyAt(bytes, at + 1, 2)) : undefined);
    if (designated !== undefined) {
      alphabet = designated;
      at += long === undefined ? 3 : 4;
    } else if (byte === ESC && cutEscape(bytes, at + 1)) {
      break;
    } else if (byte === SO || byte === SI) {
      if (byte === SO && alphabet !== 'katakana') before = alphabet;
      alphabet = byte === SO ? 'katakana' : before;
      at += 1;
    } else if (byte === LF || byte === CR) {
      // Lines must end in ASCII; a line that does not must not affect the next line.
      alphabet = 'ascii';
      out.push(byte);
      at += 1;
    } else if (isGraphic(byte) && (alphabet === 'double' || alphabet === 'supplement')) {
      at = out.pair(bytes, at, alphabet === 'supplement' ? SINGLE_SHIFT_3 : undefined);
    } else {
      const katakana = byte >= 0xa1 && byte <= 0xdf ? byte : alphabet === 'katakana' && byte < 0x60 ? byte | 0x80 : 0;
      if (katakana > 0xa0) {
        out.push(SINGLE_SHIFT_2);
        out.push(katakana);
      } else out.plain(byte);
      at += 1;
    }
  }
  return out.decode(EUC_JP);
}

/** Decodes a charset with sets of two octets per character between SO and SI. */
function decodeIso2022(bytes: Uint8Array, { designations, shifted }: typeof korean): DecodedText {
  const out = new Octets(bytes.length);
  let shiftedOut = false;
  for (let at = 0; at < bytes.length; ) {
    const byte = bytes[at] ?? 0;
    if (byte === ESC && bytes[at + 1] === DOLLAR && designations.has(keyAt(bytes, at + 1, 3))) {
      at += 4;
    } else if (byte === SO || byte === SI) {
      shiftedOut = byte === SO;
      at += 1;
    } else if (shiftedOut && isGraphic(byte)) {
      at = out.pair(bytes, at);
    } else {
      if (byte === LF || byte === CR) shiftedOut = false;
      out.plain(byte);
      at += 1;
    }
  }
  return out.decode(shifted);
}

/** Decodes HZ: `~{` and `~}` shift, `~~` is a tilde, and `~` before a line end joins lines. */
function decodeHz(bytes: Uint8Array): DecodedText {
  const out = new Octets(bytes.length);
  let inChinese = false;
  for (let at = 0; at < bytes.length; ) {
    const byte = bytes[at] ?? 0;
    const next = byte === TILDE ? String.fromCharCode(bytes[at + 1] ?? TILDE) : '';
    if (next === '{' || next === '}') {
      inChinese = next === '{';
      at += 2;
    } else if (next === '~' && !inChinese) {
      if (at + 1 < bytes.length) out.push(TILDE);
      at += 2;
    } else if (next === '\n' || (next === '\r' && bytes[at + 2] === LF)) {
      inChinese = false;
      at += next === '\n' ? 2 : 3;
    } else if (inChinese && isGraphic(byte)) {
      at = out.pair(bytes, at);
    } else {
      if (byte === LF || byte === CR) inChinese = false;
      out.plain(byte);
      at += 1;
    }
  }
  return out.decode(GBK);
}

/** Two or three octets as a number. */
function keyAt(bytes: Uint8Array, at: number, length: 2 | 3): number {
  const third = length === 3 ? (bytes[at + 2] ?? 0) << 16 : 0;
  return (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8) | third;
}

function keyOf(sequence: string): number {
  return keyAt(Buffer.from(sequence, 'latin1'), 0, sequence.length === 2 ? 2 : 3);
}

/** Whether the input ends within a designation. */
function cutEscape(bytes: Uint8Array, at: number): boolean {
  if (bytes.length - at > 2) return false;
  const begun = Buffer.from(bytes.subarray(at)).toString('latin1');
  return japaneseDesignations.some(([sequence]) => sequence.startsWith(begun));
}

function isGraphic(byte: number): boolean {
  return byte > 0x20 && byte < 0x7f;
}

/** Collects the octets of an EUC charset. */
class Octets {
  readonly #bytes: Buffer;
  #length = 0;
  #damaged = false;

  constructor(input: number) {
    // A katakana, or a character of the supplement, takes one octet more in EUC.
    this.#bytes = Buffer.allocUnsafe(input * 2);
  }

  push(byte: number): void {
    this.#bytes[this.#length++] = byte;
  }

  /** Adds an octet outside the two-octet sets; an octet with the eighth bit is invalid in these charsets. */
  plain(byte: number): void {
    const odd = byte > 0x7f || byte === ESC;
    if (odd) this.#damaged = true;
    this.push(byte > 0x7f ? 0x1a : byte);
  }

  /** Adds the two-octet character at `at`; if the second octet is invalid, the first is dropped. @returns its end */
  pair(bytes: Uint8Array, at: number, prefix?: number): number {
    const [first = 0, second] = [bytes[at], bytes[at + 1]];
    // The input ends within the character.
    if (second === undefined) return bytes.length;
    if (!isGraphic(second)) {
      this.#damaged = true;
      return at + 1;
    }
    if (prefix !== undefined) this.push(prefix);
    this.push(first | 0x80);
    this.push(second | 0x80);
    return at + 2;
  }

  decode(decoder: Decoder): DecodedText {
    // Invalid octets are kept as SUB until here, so that they cannot combine with the octets after them.
    const text = decoder.decode(this.#bytes.subarray(0, this.#length)).replaceAll('\u001a', '\uFFFD');
    return { text, problem: this.#damaged || text.includes('\uFFFD') };
  }
}
