import { decodeHeaderText, decodeRaw } from './header-text.js';

/** One header line, unfolded and decoded. */
export interface HeaderLine {
  name: string;
  value: string;
}

/** Fields of addresses and message ids, in which encoded words are decoded only in names and comments. */
const structured =
  /^(from|to|cc|bcc|sender|reply-to|return-path|(x-)?(delivered|original|envelope)-(to|from)|errors-to|disposition-notification-to|resent-.*|message-id|in-reply-to|references)$/i;
/** A field name is printable ASCII (RFC 5322 section 2.2): the `From ` line of an mbox file has no such name. */
const fieldName = /^[!-9;-~]+$/;

/**
 * Reads header lines in their order. Raw 8-bit characters, which no RFC allows but much mail has, are read as UTF-8,
 * else in the charset of the message, else as windows-1252. Other lines are skipped.
 * @param charset of the first text of the message; default: the charset that the Content-Type header names
 */
export function parseHeaders(block: Uint8Array, charset: string | null = null): HeaderLine[] {
  const raw = Buffer.from(block.buffer, block.byteOffset, block.byteLength)
    .toString('latin1')
    .replace(/\r?\n(?=[ \t])/g, '')
    .split(/\r?\n/)
    .flatMap((line) => {
      const colon = line.indexOf(':');
      const name = line.slice(0, Math.max(0, colon)).trimEnd();
      return fieldName.test(name) ? [{ name, value: trimmed(line.slice(colon + 1)) }] : [];
    });
  const type = charset === null ? raw.find(({ name }) => name.toLowerCase() === 'content-type') : undefined;
  const fallback = charset ?? /;\s*charset\s*=\s*"?([^";\s]+)/i.exec(type?.value ?? '')?.[1] ?? null;
  return raw.map(({ name, value }) => {
    const decode = structured.test(name) ? decodeStructured : decodeOctets;
    return { name, value: decode(value, fallback) };
  });
}

function decodeOctets(octets: string, fallback: string | null): string {
  return decodeHeaderText(Buffer.from(octets, 'latin1'), fallback);
}

/** Decodes a field, but not words in angle brackets or next to an `@` (RFC 2047 section 5 rule 3). */
function decodeStructured(octets: string, fallback: string | null): string {
  let text = '';
  let words = '';
  const flush = () => {
    text += decodeOctets(words, fallback);
    words = '';
  };
  for (const token of octets.split(/(<[^<>]*>|[ \t]+)/)) {
    const bracket = token.indexOf('<');
    const phrase = bracket < 0 ? token : token.slice(0, bracket);
    const isAddress = phrase.includes('@');
    if (!isAddress) words += phrase;
    const address = isAddress ? token : token.slice(phrase.length);
    if (address === '') continue;
    flush();
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
