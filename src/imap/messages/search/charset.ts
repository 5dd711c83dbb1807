import iconv from 'iconv-lite';
import { BrokerError } from '../../../protocol/errors.js';
import type { ImapConnection } from '../../connection/connection.js';
import { OtherCharsets } from '../../wire/errors.js';
import { type ImapArgument, literal } from '../../wire/tokens.js';
import { FILTER } from './bounds.js';

/** What iconv-lite takes for a charset and is none, and what every server is asked in anyway. */
const noCharsets = /^(?:base64|hex|binary|utf7imap|utf8|usascii|ascii)$/;

/** Charsets, other than US-ASCII, that the server of a connection takes; kept where it does not take UTF-8. */
const taken = new WeakMap<ImapConnection, readonly string[]>();

/**
 * Sends the keys of a search with a charset that the server takes: US-ASCII where that holds the words, else UTF-8, else
 * one that the server names instead of it (BADCHARSET, RFC 9051 section 6.4.4). What a server refused is remembered for
 * the connection.
 * @param send is called again where the server refuses the charset; it gets the keys in the charset
 * @throws BrokerError IMAP_NO with the field, where the server takes no charset that holds the words; what `send` throws
 */
export async function withCharset<T>(
  connection: ImapConnection,
  keys: readonly ImapArgument[],
  send: (charset: string, keys: readonly ImapArgument[]) => Promise<T>,
): Promise<T> {
  if (isAscii(keys)) return send('US-ASCII', keys);
  let refused: BrokerError | undefined;
  let charsets = taken.get(connection) ?? ['UTF-8'];
  for (let charset = charsets[0]; charset !== undefined; charset = charsets[0]) {
    const encoded = charset === 'UTF-8' ? keys : encode(keys, charset);
    if (!encoded) {
      charsets = charsets.slice(1);
      continue;
    }
    try {
      return await send(charset, encoded);
    } catch (failure) {
      if (!isAboutCharset(failure)) throw failure;
      refused = failure;
      charsets = charset === 'UTF-8' ? othersOf(failure) : charsets.slice(1);
      const left = taken.get(connection)?.filter((name) => name !== charset);
      taken.set(connection, left ?? charsets);
    }
  }
  throw new BrokerError(
    'IMAP_NO',
    `${FILTER}: the IMAP server takes no charset that has all characters of the words.`,
    { field: FILTER, imap: refused?.imap, cause: refused },
  );
}

function isAboutCharset(failure: unknown): failure is BrokerError {
  if (!(failure instanceof BrokerError) || failure.kind !== 'IMAP_NO' || !failure.imap) return false;
  return failure.imap.code === 'BADCHARSET' || /charset/i.test(failure.imap.text);
}

function othersOf({ cause }: BrokerError): readonly string[] {
  return cause instanceof OtherCharsets ? cause.names.filter(isUsable) : [];
}

function isUsable(name: string): boolean {
  if (!iconv.encodingExists(name) || noCharsets.test(name.toLowerCase().replace(/[^a-z0-9]/g, ''))) return false;
  // Words in UTF-16 may have NUL, CR and LF, which a search must not have.
  return iconv.encode('aA0', name).toString('latin1') === 'aA0';
}

function isAscii(keys: readonly ImapArgument[]): boolean {
  return keys.every((key) => {
    if (Array.isArray(key)) return isAscii(key);
    const text = textOf(key);
    return text === undefined || !/\P{ASCII}/u.test(text);
  });
}

/** The keys with all words in a charset; undefined where it lacks a character. */
function encode(keys: readonly ImapArgument[], charset: string): ImapArgument[] | undefined {
  const encoded: ImapArgument[] = [];
  for (const key of keys) {
    const one = Array.isArray(key) ? encode(key, charset) : encodeWord(key, charset);
    if (one === undefined) return undefined;
    encoded.push(one);
  }
  return encoded;
}

function encodeWord(key: Exclude<ImapArgument, ImapArgument[]>, charset: string): ImapArgument | undefined {
  const text = textOf(key);
  if (text === undefined || !/\P{ASCII}/u.test(text)) return key;
  const octets = iconv.encode(text, charset);
  return iconv.decode(octets, charset) === text ? literal(octets) : undefined;
}

/** The text of a string or literal; undefined for keys, numbers and names, which are ASCII on the wire. */
function textOf(key: Exclude<ImapArgument, ImapArgument[]>): string | undefined {
  if (typeof key === 'string') return key;
  if (typeof key !== 'object' || !('type' in key) || key.type !== 'LITERAL') return undefined;
  return Buffer.isBuffer(key.value) ? key.value.toString('utf8') : String(key.value ?? '');
}
