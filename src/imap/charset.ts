import iconv from 'iconv-lite';

/** Text with what is to be known of how it was decoded. */
export interface DecodedText {
  text: string;
  /** The bytes did not fit the declared charset, or it is unknown; the text is the best guess. */
  problem: boolean;
}

/** WHATWG's decoder calls these windows-1252, where mail that says so is more often unlabelled UTF-8. */
const asciiLabels = new Set(['us-ascii', 'ascii', 'ansi_x3.4-1968', '7bit', 'unknown-8bit']);

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
  if (label === '' || asciiLabels.has(label)) {
    const problem = bytes.some((byte) => byte > 127);
    return { text: guess(bytes, cut), problem };
  }
  const strict = decodeStrictly(bytes, label, cut);
  if (strict !== undefined) return { text: strict, problem: false };
  // iconv-lite knows what the platform does not, utf-7 and the code pages of DOS above all.
  if (iconv.encodingExists(label) && !knownToPlatform(label)) {
    return { text: iconv.decode(Buffer.from(bytes), label), problem: false };
  }
  return { text: guess(bytes, cut, label), problem: true };
}

function decodeStrictly(bytes: Uint8Array, label: string, cut: boolean): string | undefined {
  try {
    return new TextDecoder(label, { fatal: true, ignoreBOM: false }).decode(bytes, { stream: cut });
  } catch {
    return undefined;
  }
}

function knownToPlatform(label: string): boolean {
  try {
    return new TextDecoder(label) !== undefined;
  } catch {
    return false;
  }
}

function guess(bytes: Uint8Array, cut: boolean, label?: string): string {
  const utf8 = decodeStrictly(bytes, 'utf-8', cut);
  if (utf8 !== undefined) return utf8;
  const loose = label !== undefined && knownToPlatform(label) && label !== 'utf-8' ? label : 'windows-1252';
  return new TextDecoder(loose).decode(bytes);
}
