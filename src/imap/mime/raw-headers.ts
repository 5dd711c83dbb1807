import { decodeHeaderText } from './header-text.js';

/** One header line, unfolded and decoded. */
export interface HeaderLine {
  name: string;
  value: string;
}

/**
 * Reads header lines in their order. Raw 8-bit, which no RFC allows and much mail has, is read as UTF-8, else by the
 * charset that the Content-Type header names, else as windows-1252. What is no header line is passed over.
 */
export function parseHeaders(block: Uint8Array): HeaderLine[] {
  const raw = Buffer.from(block.buffer, block.byteOffset, block.byteLength)
    .toString('latin1')
    .replace(/\r?\n(?=[ \t])/g, '')
    .split(/\r?\n/)
    .flatMap((line) => {
      const colon = line.indexOf(':');
      return colon > 0 ? [{ name: line.slice(0, colon).trimEnd(), value: line.slice(colon + 1).trim() }] : [];
    });
  const type = raw.find(({ name }) => name.toLowerCase() === 'content-type');
  const charset = /;\s*charset\s*=\s*"?([^";\s]+)/i.exec(type?.value ?? '')?.[1] ?? null;
  return raw.map(({ name, value }) => ({ name, value: decodeHeaderText(Buffer.from(value, 'latin1'), charset) }));
}
