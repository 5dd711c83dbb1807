import type { FetchMessageObject, MessageAddressObject } from 'imapflow';
import libmime from 'libmime';
import { decodeCharset } from './charset.js';
import type { ImapConnection } from './connection.js';

/** One header line, unfolded and decoded. */
export interface HeaderLine {
  name: string;
  value: string;
}

const REPLACEMENT = '\uFFFD';
const addressFields = ['from', 'sender', 'replyTo', 'to', 'cc', 'bcc'] as const;
const headerNames = { from: 'from', sender: 'sender', replyTo: 'reply-to', to: 'to', cc: 'cc', bcc: 'bcc' } as const;

/**
 * Reads header lines in their order. Raw 8-bit, which no RFC allows and much mail has, is read as UTF-8, else as the
 * charset that the Content-Type header names, else as windows-1252.
 */
export function parseHeaders(block: Uint8Array): HeaderLine[] {
  const lines = Buffer.from(block)
    .toString('latin1')
    .replace(/\r?\n[ \t]+/g, ' ')
    .split(/\r?\n/);
  const raw = lines.flatMap((line) => {
    const colon = line.indexOf(':');
    return colon > 0 ? [{ name: line.slice(0, colon).trimEnd(), value: line.slice(colon + 1).trim() }] : [];
  });
  const charset = bodyCharset(raw);
  return raw.map(({ name, value }) => ({ name, value: decodeValue(value, charset) }));
}

function bodyCharset(lines: readonly HeaderLine[]): string | null {
  const type = lines.find(({ name }) => name.toLowerCase() === 'content-type');
  return /;\s*charset\s*=\s*"?([^";\s]+)/i.exec(type?.value ?? '')?.[1] ?? null;
}

function decodeValue(value: string, charset: string | null): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: bytes, not characters
  if (/^[\u0000-\u007f]*$/.test(value)) return libmime.decodeWords(value);
  const bytes = Buffer.from(value, 'latin1');
  const utf8 = decodeCharset(bytes, 'utf-8');
  return libmime.decodeWords(utf8.problem && charset ? decodeCharset(bytes, charset).text : utf8.text);
}

/** Mends envelopes in which the server passed raw 8-bit headers on that are not UTF-8; costs nothing without any. */
export async function repairEnvelopes(connection: ImapConnection, messages: FetchMessageObject[]): Promise<void> {
  const broken = messages.filter(({ envelope }) => JSON.stringify(envelope)?.includes(REPLACEMENT));
  if (broken.length === 0) return;
  const headers = ['subject', 'content-type', ...Object.values(headerNames)];
  const range = broken.map(({ uid }) => uid).join(',');
  const fetched = await connection.command('read', (flow) =>
    flow.fetchAll(range, { uid: true, headers }, { uid: true }),
  );
  const byUid = new Map(fetched.map((message) => [message.uid, parseHeaders(message.headers ?? Buffer.alloc(0))]));
  for (const message of broken) repair(message, byUid.get(message.uid) ?? []);
}

function repair({ envelope }: FetchMessageObject, lines: readonly HeaderLine[]): void {
  if (!envelope) return;
  const headerOf = (wanted: string) => lines.find(({ name }) => name.toLowerCase() === wanted)?.value;
  if (envelope.subject?.includes(REPLACEMENT)) envelope.subject = headerOf('subject') ?? envelope.subject;
  for (const field of addressFields) {
    // A missing Sender or Reply-To is filled in from From by the server (RFC 9051 section 7.5.2).
    const value = headerOf(headerNames[field]) ?? headerOf('from') ?? '';
    for (const address of envelope[field] ?? []) repairName(address, value);
  }
}

function repairName(entry: MessageAddressObject, header: string): void {
  if (!entry.name?.includes(REPLACEMENT) || !entry.address) return;
  const end = header.indexOf(`<${entry.address}>`);
  if (end < 0) return;
  const name = header
    .slice(0, end)
    .split(/[,;](?=(?:[^"]*"[^"]*")*[^"]*$)/)
    .at(-1);
  entry.name = (name ?? '').trim().replace(/^"(.*)"$/, '$1');
}
