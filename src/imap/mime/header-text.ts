import { isAscii, isUtf8 } from 'node:buffer';
import type { ImapAttribute } from '../wire/tokens.js';
import { bytesOf } from '../wire/tokens.js';
import { decodeCharset } from './charset.js';
import { decodeWords } from './encoded-words.js';

/**
 * A header's text, unfolded and decoded. Raw 8-bit characters, which no RFC allows but much mail has, are read as
 * UTF-8, else in the charset that the message names elsewhere, else as windows-1252.
 */
export function toHeaderText(attribute: ImapAttribute | undefined, fallbackCharset: string | null = null): string {
  const text = stringOf(attribute);
  if (text !== undefined) return decodeText(text);
  const bytes = bytesOf(attribute);
  return bytes ? decodeHeaderText(bytes, fallbackCharset) : '';
}

/** A cheap check before the replacement: most names are short and have no control characters. */
function hasControls(text: string): boolean {
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code < 0x20 || (code >= 0x7f && code < 0xa0)) return true;
  }
  return false;
}

/** The text of a header without encoded words, such as addresses and message ids: raw UTF-8, without controls. */
export function toRawText(attribute: ImapAttribute | undefined): string {
  const text = stringOf(attribute);
  if (text !== undefined) return withoutControls(text);
  const bytes = bytesOf(attribute);
  return bytes ? withoutControls(decodeRaw(bytes, null)) : '';
}

/** The value of a token that is a string already; undefined for octets. */
function stringOf(attribute: ImapAttribute | undefined): string | undefined {
  if (!attribute || Array.isArray(attribute) || typeof attribute.value !== 'string') return undefined;
  // Decoders drop a byte order mark; these strings did not pass through a decoder.
  return attribute.value.startsWith('\uFEFF') ? attribute.value.slice(1) : attribute.value;
}

/** Like {@link toHeaderText}, for octets. */
export function decodeHeaderText(bytes: Buffer, fallbackCharset: string | null = null): string {
  return decodeText(decodeRaw(bytes, fallbackCharset));
}

function decodeText(text: string): string {
  const decoded = decodeWords(text);
  if (!decoded.includes('\n') && !decoded.includes('\r')) return decoded;
  const lines = decoded.split(/[\r\n]+/);
  const inner = lines.slice(1, -1).map((line) => line.trim());
  return [lines[0]?.trimEnd() ?? '', ...inner.filter((line) => line !== ''), lines.at(-1)?.trimStart() ?? ''].join(' ');
}

/** Removes control characters, which a decoded name could bring into an application's own headers or terminals. */
export function withoutControls(text: string): string {
  return (hasControls(text) ? text.replace(/\p{Cc}+/gu, ' ') : text).trim();
}

/** Decodes octets to text; encoded words stay as they are. */
export function decodeRaw(bytes: Buffer, fallbackCharset: string | null): string {
  if (isAscii(bytes)) return bytes.toString('latin1');
  const utf8 = decodeCharset(bytes, 'utf-8');
  return utf8.problem && fallbackCharset ? decodeCharset(bytes, fallbackCharset).text : utf8.text;
}

/** Whether octets are raw 8-bit text that is not UTF-8, so that the charset must be guessed. */
export function isAmbiguous(attribute: ImapAttribute | undefined): boolean {
  if (Array.isArray(attribute)) return attribute.some(isAmbiguous);
  return !!attribute && Buffer.isBuffer(attribute.value) && !isUtf8(attribute.value);
}
