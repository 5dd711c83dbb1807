import { bytesOf } from '../fetch-rows.js';
import { type ImapAttribute, listOf, textOf } from '../raw-exec.js';
import { decodeCharset } from './charset.js';
import { decodeHeaderText } from './header-text.js';

/** One piece of a parameter: `name*0*` has index 0 and is encoded (RFC 2231 section 4.1). */
interface Segment {
  index: number;
  encoded: boolean;
  value: Buffer;
}

const segmentName = /^([^*]+)(?:\*(\d{1,4}))?(\*)?$/;

/**
 * The parameters of a Content-Type or Content-Disposition, decoded: continuations and charsets of RFC 2231, and what
 * RFC 2047 forbids here but many programs write. Names in lower case; an extended value wins over a plain one.
 */
export function toParameters(attribute: ImapAttribute | undefined): Record<string, string> {
  const list = listOf(attribute);
  const segments = new Map<string, Segment[]>();
  for (let at = 0; at + 1 < list.length; at += 2) {
    const name = textOf(list[at]).toLowerCase();
    const [, base = name, index, star] = segmentName.exec(name) ?? [];
    const segment = {
      index: Number(index ?? 0),
      encoded: star === '*',
      value: bytesOf(list[at + 1]) ?? Buffer.alloc(0),
    };
    const extended = index !== undefined || segment.encoded;
    // `filename` for old readers is often beside `filename*`.
    const key = extended ? `${base}*` : base;
    segments.set(key, [...(segments.get(key) ?? []), segment]);
  }
  const names = new Set([...segments.keys()].map((key) => key.replace(/\*$/, '')));
  const entries = [...names].map((name): [string, string] => {
    const extended = segments.get(`${name}*`);
    return [
      name,
      extended ? joinSegments(extended) : decodeHeaderText(segments.get(name)?.[0]?.value ?? Buffer.alloc(0)),
    ];
  });
  return Object.fromEntries(entries);
}

function joinSegments(segments: readonly Segment[]): string {
  const ordered = [...segments].sort((a, b) => a.index - b.index);
  let charset: string | null = null;
  const octets = ordered.map(({ encoded, value }, position) => {
    if (!encoded) return value;
    const text = value.toString('latin1');
    const [, declared, rest] = (position === 0 && /^([^']*)'[^']*'(.*)$/s.exec(text)) || [];
    charset = declared || charset;
    return unescaped(rest ?? text);
  });
  const { text } = decodeCharset(Buffer.concat(octets), charset);
  // Encoded words within RFC 2231 continuations are found as well.
  return ordered.some(({ encoded }) => encoded) ? text : decodeHeaderText(Buffer.from(text));
}

function unescaped(text: string): Buffer {
  const plain = text.replace(/%([0-9a-f]{2})/gi, (_match, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  return Buffer.from(plain, 'latin1');
}
