import type { Structure } from '../../protocol/models.js';
import { htmlToText } from '../../text/html-text.js';
import { decodeCharset } from './charset.js';
import { unflow } from './flowed.js';
import type { Readable } from './structure-readable.js';
import { transferDecoder } from './transfer/transfer-decoder.js';

/** Characters of a preview. */
const LENGTH = 200;
/** Most characters of a preview that the server made (RFC 8970 section 3.1). */
const MOST_OF_SERVER = 256;
/** Encoded bytes that are read of a plain text, and of html, which begins with styles and tables. */
const PLAIN_BYTES = 3 * 1024;
const HTML_BYTES = 16 * 1024;
/** Words and blanks of html that are read: filler stands between the words of some. */
const MOST_PIECES = 2000;
/** Characters of text after which the lines that follow are not looked at. */
const ENOUGH = 4 * LENGTH;

/** The part of a message that a preview is made from, and how many of its encoded bytes. */
export interface PreviewPart {
  node: Structure;
  length: number;
}

/** The first text of a message, plain text if it has one; undefined where no text is shown, as in encrypted mail. */
export function previewPart({ textBody }: Readable): PreviewPart | undefined {
  const texts = textBody.filter(({ type }) => type.startsWith('text/'));
  // A part of two bytes is usually only a line end.
  const node = texts.find(({ encodedSize }) => (encodedSize ?? 0) > 2) ?? texts[0];
  return node && { node, length: node.type === 'text/html' ? HTML_BYTES : PLAIN_BYTES };
}

/**
 * The first 200 characters of a text that a person would read: without quoted replies and what introduces them, without
 * a signature, blank lines and invisible characters. Takes time in proportion to the bytes.
 * @param encoded the beginning of the part, at most its `length`, as it is in the message
 * @returns null where nothing is left
 */
export function previewOf({ node, length }: PreviewPart, encoded: Buffer): string | null {
  const bytes = encoded.subarray(0, length);
  const cut = bytes.length >= length && (node.encodedSize ?? Number.POSITIVE_INFINITY) > length;
  const decoder = transferDecoder(node.encoding);
  const begun = decoder.push(bytes);
  const decoded = cut ? begun : Buffer.concat([begun, decoder.end()]);
  const { text } = decodeCharset(decoded, node.parameters.charset ?? null, cut);
  // The last character of a cut text may be a broken one.
  const whole = cut ? text.replace(/\uFFFD{1,2}$/, '') : text;
  return beginningOf(node.type === 'text/html' ? ofHtml(whole, cut) : ofPlain(whole, node.parameters));
}

function ofHtml(html: string, cut: boolean): string {
  // A tag or an entity that the cut has broken.
  const whole = cut ? html.replace(/<[^<>]{0,2000}$/, '').replace(/&[#\w]{0,30}$/, '') : html;
  return htmlToText(whole, { withoutQuotes: true, pieces: MOST_PIECES });
}

function ofPlain(text: string, { format, delsp }: Record<string, string>): string {
  const lines = text.replaceAll('\r\n', '\n');
  return format?.toLowerCase() === 'flowed' ? unflow(lines, delsp?.toLowerCase() === 'yes') : lines;
}

/**
 * A preview that the server made (RFC 8970) as it can be shown: without control characters and invisible ones, at most
 * 256 characters.
 * @returns null where nothing is left
 */
export function shownPreview(text: string): string | null {
  return cutTo(visible(text.slice(0, 4 * MOST_OF_SERVER)), MOST_OF_SERVER);
}

/** Begins what was quoted from another mail, in Outlook; and the signature of PGP. */
const ending = /^(?:-{3,}\s*original message\s*-{3,}|-----BEGIN PGP SIGNATURE-----)$/i;
/** Lines that say nothing: rules, and the lines around a text that PGP has signed. */
const empty = /^(?:[-=_*~#.+|\s]+|-----BEGIN PGP SIGNED MESSAGE-----|Hash: [\w, -]+)$/;
/** The line above a quoted mail, in the languages whose programs write most mail. */
const introduction =
  /^(?:on|am|le|el|il|op|den|em|w dniu)\s.{5,250}(?:wrote|schrieb|a écrit|escribió|ha scritto|schreef|skrev|escreveu|napisał)\b[^:]{0,100}:$/i;

/** The beginning of a decoded text, see {@link previewOf}. */
export function beginningOf(text: string): string | null {
  const kept: string[] = [];
  let length = 0;
  let quoting = false;
  for (const line of linesOf(text)) {
    const isQuote = /^\s*>/.test(line);
    if (isQuote && !quoting) length -= withoutIntroduction(kept);
    if (line.trim() !== '') quoting = isQuote;
    if (isQuote) continue;
    if (/^--\s?$/.test(line)) break;
    const words = visible(line);
    if (/^-----BEGIN PGP MESSAGE-----$/.test(words)) return null;
    if (ending.test(words)) {
      if (kept.length > 0) break;
      continue;
    }
    if (words === '' || empty.test(words)) continue;
    kept.push(words);
    length += words.length + 1;
    if (length > ENOUGH) break;
  }
  return cutTo(withoutIntroductions(kept).join(' '));
}

/** The lines of a text, each cut to what can be shown, one by one: a hostile text has a hundred thousand. */
function* linesOf(text: string): Generator<string> {
  for (let at = 0; at <= text.length; ) {
    const end = text.indexOf('\n', at);
    const stop = end < 0 ? text.length : end;
    yield text.slice(at, Math.min(stop, at + 2 * ENOUGH)).replace(/\r+$/, '');
    at = stop + 1;
  }
}

/**
 * Removes the lines above a quote that say who wrote it, in any language: the last line ends with a colon and has a date
 * or an address, if need be together with the line before it.
 * @returns the length of what was removed
 */
function withoutIntroduction(kept: string[]): number {
  const last = kept.at(-1) ?? '';
  const before = kept.at(-2) ?? '';
  if (!/[:：]$/.test(last) || last.length > 300) return 0;
  if (/\d|@/.test(last)) {
    kept.pop();
    // The first half of a line that was wrapped.
    const half = !introduction.test(last) && introduction.test(`${before} ${last}`);
    if (half) kept.pop();
    return last.length + 1 + (half ? before.length + 1 : 0);
  }
  if (before.length > 300 || last.length > 40 || !(introduction.test(`${before} ${last}`) || /[@>]$/.test(before)))
    return 0;
  kept.splice(-2);
  return last.length + before.length + 2;
}

/** Removes the lines that introduce what was quoted where nothing marks the quote itself. */
function withoutIntroductions(kept: readonly string[]): string[] {
  const left: string[] = [];
  for (let at = 0; at < kept.length; at += 1) {
    const line = kept[at] ?? '';
    if (introduction.test(line)) continue;
    if (line.length <= 300 && introduction.test(`${line} ${kept[at + 1] ?? ''}`)) at += 1;
    else left.push(line);
  }
  return left;
}

/** Characters that show nothing and that senders fill previews with, and those that turn the direction of writing. */
const invisible = /(?!\u200C|\u200D|\p{VS})\p{DI}|\u2800/gu;

/** A line without control characters and invisible ones; blanks of any kind become one space. */
function visible(line: string): string {
  return (
    line
      .replace(invisible, '')
      .replace(/[\s\p{Cc}]+/gu, ' ')
      .replace(/\p{Cs}/gu, '')
      // Joiners have a meaning between two letters only.
      .replace(/(?:\u200C|\u200D){2,}/g, '')
      .replace(/(?<![^ ])(?:\u200C|\u200D)|(?:\u200C|\u200D)(?![^ ])/g, '')
      .replace(/ {2,}/g, ' ')
      .trim()
  );
}

/** At most so many characters, none of them half. */
function cutTo(text: string, length = LENGTH): string | null {
  // A character has two units of UTF-16 at most.
  const characters = Array.from(text.slice(0, 2 * length));
  const cut = characters.length > length || text.length > 2 * length;
  const kept = (cut ? characters.slice(0, length).join('') : text).replace(/(?:\u200C|\u200D|\s)+$/, '');
  return kept === '' ? null : kept;
}
