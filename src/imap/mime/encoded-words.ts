import { decodeCharset } from './charset.js';
import { decodeQuotedPrintable } from './transfer/transfer-decoder.js';

const word = /=\?([^?\s*]+)(?:\*[^?\s]*)?\?([BbQq])\?([^?]*)\?=/g;

const notAscii = /[^\0-\x7f]/;

/** Most characters of a decoded word with raw non-ASCII letters: section 2 allows 75. */
const LONGEST_RAW = 1000;
/** Most words, or pieces of words, of one text that are decoded: each takes some microseconds, damaged ones more. */
const MOST_WORDS = 1000;

/** Adjacent encoded words of one charset. */
interface Run {
  charset: string;
  words: Word[];
}

/** The content of a word: octets of its charset, or text for letters that should have been encoded. */
type Word = Buffer | string;

/**
 * Decodes RFC 2047 encoded words. The octets of adjacent words of one charset are joined before they are decoded: many
 * mailers split characters between words, which section 5 forbids.
 */
export function decodeWords(text: string): string {
  if (!text.includes('=?')) return text;
  let decoded = '';
  let end = 0;
  let left = MOST_WORDS;
  let run: Run | undefined;
  for (const match of text.matchAll(word)) {
    if (left <= 0) break;
    const [whole, name = '', encoding = '', content = ''] = match;
    const charset = name.toLowerCase();
    const between = text.slice(end, match.index);
    end = match.index + whole.length;
    const words = wordsOf(encoding.toUpperCase(), content);
    left -= words.length;
    // White space between two encoded words is not part of the text (section 6.2).
    const adjacent = run !== undefined && between.trim() === '';
    if (run && adjacent && run.charset === charset) {
      run.words.push(...words);
      continue;
    }
    decoded += decodeRun(run) + (adjacent ? '' : between);
    run = { charset, words };
  }
  return decoded + decodeRun(run) + text.slice(end);
}

function wordsOf(encoding: string, content: string): Word[] {
  if (encoding === 'B') return [Buffer.from(content, 'base64')];
  // Some mailers leave blanks in words; they are encoded, because quoted-printable drops blanks at the end.
  const text = content.replace(/[_ \t]/g, '=20');
  if (!notAscii.test(text)) return [decodeQuotedPrintable(Buffer.from(text, 'latin1'))];
  // Raw letters are kept as they are: the charset of the word does not apply to them.
  if (text.length > LONGEST_RAW) return [content];
  return (text.match(/[\0-\x7f]+|[^\0-\x7f]+/g) ?? []).map((piece) =>
    piece.charCodeAt(0) > 0x7f ? piece : decodeQuotedPrintable(Buffer.from(piece, 'latin1')),
  );
}

function decodeRun(run: Run | undefined): string {
  if (!run) return '';
  const { charset, words } = run;
  let text = '';
  let octets: Buffer[] = [];
  for (const one of words) {
    if (typeof one !== 'string') {
      octets.push(one);
      continue;
    }
    text += decodeJoined(octets, charset) + one;
    octets = [];
  }
  return text + decodeJoined(octets, charset);
}

/** Decodes words together, or one by one where that fails, so that a bad word does not affect the others. */
function decodeJoined(octets: readonly Buffer[], charset: string): string {
  const [first = Buffer.alloc(0), ...more] = octets;
  const whole = decodeCharset(more.length === 0 ? first : Buffer.concat(octets), charset);
  if (!whole.problem || more.length === 0) return whole.text;
  const alone = octets.map((one) => decodeCharset(one, charset));
  return alone.some(({ problem }) => !problem) ? alone.map(({ text }) => text).join('') : whole.text;
}
