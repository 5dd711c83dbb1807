import { decodeCharset } from './charset.js';
import { decodeQuotedPrintable } from './transfer-decoder.js';

const word = /=\?([^?\s*]+)(?:\*[^?\s]*)?\?([BbQq])\?([^?]*)\?=/g;

/** Adjacent encoded words of one charset. */
interface Run {
  charset: string;
  octets: Buffer[];
}

/**
 * Decodes RFC 2047 encoded words. The octets of adjacent words of one charset are joined before they are decoded: many
 * mailers split characters between words, which section 5 forbids.
 */
export function decodeWords(text: string): string {
  if (!text.includes('=?')) return text;
  let decoded = '';
  let end = 0;
  let run: Run | undefined;
  for (const match of text.matchAll(word)) {
    const [whole, charset = '', encoding = '', content = ''] = match;
    const between = text.slice(end, match.index);
    end = match.index + whole.length;
    const octets = octetsOf(encoding, content);
    // White space between two encoded words is not part of the text (section 6.2).
    if (run && between.trim() === '' && run.charset === charset.toLowerCase()) {
      run.octets.push(octets);
      continue;
    }
    decoded += textOf(run) + (run && between.trim() === '' ? '' : between);
    run = { charset: charset.toLowerCase(), octets: [octets] };
  }
  return decoded + textOf(run) + text.slice(end);
}

function octetsOf(encoding: string, content: string): Buffer {
  if (encoding.toUpperCase() === 'B') return Buffer.from(content, 'base64');
  return decodeQuotedPrintable(Buffer.from(content.replaceAll('_', '=20'), 'latin1'));
}

function textOf(run: Run | undefined): string {
  if (!run) return '';
  const [first = Buffer.alloc(0), ...more] = run.octets;
  return decodeCharset(more.length === 0 ? first : Buffer.concat(run.octets), run.charset).text;
}
