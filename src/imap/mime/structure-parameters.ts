import { isUtf8 } from 'node:buffer';
import { bytesOf, type ImapAttribute, listOf, textOf } from '../wire/tokens.js';
import { decodeCharset } from './charset.js';
import { decodeHeaderText, toHeaderText } from './header-text.js';

/** Most parameters, or segments of parameters, that are read of one part: no legitimate part has more. */
export const MAX_PARAMETERS = 1000;

/** One piece of a parameter: `name*0*` has index 0 and is encoded (RFC 2231 section 4.1). */
interface Segment {
  index: number;
  encoded: boolean;
  value: Buffer;
}

/** The plain value and the segments of one parameter. */
interface Written {
  plain: ImapAttribute | undefined;
  segments: Segment[];
}

const segmentName = /^([^*]+)(?:\*(\d{1,4}))?(\*)?$/;

/**
 * The parameters of a Content-Type or Content-Disposition, decoded: continuations and charsets of RFC 2231, and encoded
 * words, which RFC 2047 forbids here but many programs write. Names are in lower case; an extended value takes
 * precedence over a plain one.
 * @param fallbackCharset of raw 8-bit text that is not UTF-8
 */
export function toParameters(
  attribute: ImapAttribute | undefined,
  fallbackCharset: string | null,
): Record<string, string> {
  const list = listOf(attribute);
  if (list.length === 0) return {};
  const written = new Map<string, Written>();
  for (let at = 0; at + 1 < list.length && at < 2 * MAX_PARAMETERS; at += 2) {
    const name = textOf(list[at]).toLowerCase();
    const [, base = name, index, star] = name.includes('*') ? (segmentName.exec(name) ?? []) : [];
    const parameter = written.get(base) ?? { plain: undefined, segments: [] };
    written.set(base, parameter);
    // Many programs write `filename` for old readers in addition to `filename*`.
    if (index !== undefined || star) {
      const value = bytesOf(list[at + 1]) ?? Buffer.alloc(0);
      parameter.segments.push({ index: Number(index ?? 0), encoded: star === '*', value });
    } else parameter.plain ??= list[at + 1];
  }
  const entries = [...written].map(([name, { plain, segments }]): [string, string] => [
    name,
    segments.length > 0 ? joinSegments(segments, fallbackCharset) : toHeaderText(plain, fallbackCharset),
  ]);
  return Object.fromEntries(entries);
}

function joinSegments(segments: readonly Segment[], fallbackCharset: string | null): string {
  const ordered = [...segments].sort((a, b) => a.index - b.index);
  let charset: string | null = null;
  const octets = ordered.map(({ encoded, value }, position) => {
    if (!encoded) return value;
    const text = value.toString('latin1');
    const [, declared, rest] = (position === 0 && /^([^']*)'[^']*'(.*)$/s.exec(text)) || [];
    charset = declared || charset;
    return percentDecoded(rest ?? text);
  });
  const whole = Buffer.concat(octets);
  // Encoded words within RFC 2231 continuations occur as well.
  if (!ordered.some(({ encoded }) => encoded)) return decodeHeaderText(whole, fallbackCharset);
  return decodeCharset(whole, charset ?? (isUtf8(whole) ? null : fallbackCharset)).text;
}

function percentDecoded(text: string): Buffer {
  const plain = text.replace(/%([0-9a-f]{2})/gi, (_match, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  return Buffer.from(plain, 'latin1');
}
