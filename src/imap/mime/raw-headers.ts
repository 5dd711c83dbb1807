import { decodeHeaderText, decodeRaw } from './header-text.js';

/** One header line, unfolded and decoded. */
export interface HeaderLine {
  name: string;
  value: string;
}

/** Fields of addresses and message ids, in which encoded words are decoded only in names and comments. */
const structured =
  /^(from|to|cc|bcc|sender|reply-to|return-path|(x-)?(delivered|original|envelope)-(to|from)|errors-to|disposition-notification-to|resent-.*|message-id|in-reply-to|references)$/i;
/** Most lines of a header that are read; mail has some dozens. */
export const MOST_HEADER_LINES = 5000;
/** Most pieces of lines with addresses that are decoded one by one: each takes some microseconds. */
const MOST_PIECES = 4000;
/** Most encoded words of all lines together that are decoded. */
const MOST_WORDS = 4000;
/** A field name is printable ASCII (RFC 5322 section 2.2): the `From ` line of an mbox file has no such name. */
const fieldName = /^[!-9;-~]+$/;

/**
 * Reads header lines in their order. Raw 8-bit characters, which no RFC allows but much mail has, are read as UTF-8,
 * else in the charset of the message, else as windows-1252. Other lines are skipped.
 * @param charset of the first text of the message; default: the charset that the Content-Type header names
 */
export function parseHeaders(block: Uint8Array, charset: string | null = null): HeaderLine[] {
  const raw: HeaderLine[] = [];
  const lines = Buffer.from(block.buffer, block.byteOffset, block.byteLength)
    .toString('latin1')
    .replace(/\r?\n(?=[ \t])/g, '')
    .split(/\r?\n/, 2 * MOST_HEADER_LINES);
  for (const line of lines) {
    const colon = line.indexOf(':');
    const name = line.slice(0, Math.max(0, colon)).trimEnd();
    if (fieldName.test(name)) raw.push({ name, value: trimmed(line.slice(colon + 1)) });
    if (raw.length === MOST_HEADER_LINES) break;
  }
  const type = charset === null ? raw.find(({ name }) => name.toLowerCase() === 'content-type') : undefined;
  const fallback = charset ?? /;\s*charset\s*=\s*"?([^";\s]+)/i.exec(type?.value ?? '')?.[1] ?? null;
  const budget = { pieces: MOST_PIECES };
  let words = 0;
  return raw.map(({ name, value }) => {
    words += value.split('=?').length - 1;
    if (words > MOST_WORDS) return { name, value: decodeRaw(Buffer.from(value, 'latin1'), fallback) };
    const isStructured = structured.test(name);
    return { name, value: isStructured ? decodeStructured(value, fallback, budget) : decodeOctets(value, fallback) };
  });
}

function decodeOctets(octets: string, fallback: string | null): string {
  return decodeHeaderText(Buffer.from(octets, 'latin1'), fallback);
}

/**
 * Decodes a field, but not words in angle brackets or next to an `@` (RFC 2047 section 5 rule 3). Of a block of more
 * pieces than any mail has, the encoded words in the rest stay as they are.
 */
function decodeStructured(octets: string, fallback: string | null, budget: { pieces: number }): string {
  if (!octets.includes('=?')) return decodeOctets(octets, fallback);
  let text = '';
  let words = '';
  const flush = () => {
    if (words === '') return;
    budget.pieces -= 1;
    text += decodeOctets(words, fallback);
    words = '';
  };
  const tokens = octets.split(/(<[^<>]*>|[ \t]+)/);
  for (const [index, token] of tokens.entries()) {
    if (budget.pieces <= 0)
      return text + decodeRaw(Buffer.from(words + tokens.slice(index).join(''), 'latin1'), fallback);
    const bracket = token.indexOf('<');
    const phrase = bracket < 0 ? token : token.slice(0, bracket);
    const isAddress = phrase.includes('@');
    if (!isAddress) words += phrase;
    const address = isAddress ? token : token.slice(phrase.length);
    if (address === '') continue;
    flush();
    budget.pieces -= 1;
    text += decodeRaw(Buffer.from(address, 'latin1'), fallback);
  }
  flush();
  return text;
}

/** Removes the blanks around a value; `trim` would also remove octets such as 0xA0, which may belong to letters. */
function trimmed(value: string): string {
  let [from, to] = [0, value.length];
  while (from < to && isBlank(value.charCodeAt(from))) from += 1;
  while (to > from && isBlank(value.charCodeAt(to - 1))) to -= 1;
  return value.slice(from, to);
}

function isBlank(code: number): boolean {
  return code === 0x20 || (code >= 0x09 && code <= 0x0d);
}
