import type { Envelope, Structure } from '../../protocol/models.js';
import { type ImapAttribute, listOf, numberOf, textOf } from '../wire/tokens.js';
import { toEnvelope } from './envelope.js';
import { withoutControls } from './header-text.js';
import { type Multipart, multipartOf, nestedOf } from './structure-nodes.js';
import { MAX_PARAMETERS, toParameters } from './structure-parameters.js';
import { isIdentity } from './transfer/transfer-decoder.js';

/** Most levels of nesting that are read: the protocol's part numbers go no deeper; hostile mail nests without end. */
const MAX_DEPTH = 50;
/** Most parts of one message that are returned: no reader shows more, and each adds some 250 bytes to an answer. */
const MAX_PARTS = 1000;

/** The structure of a message, and the likely charset of its headers. */
export interface ReadStructure {
  root: Structure;
  /** Whether the message has more parts, or deeper ones, than are returned. */
  truncated: boolean;
  /** The charset of the first text that names a charset other than ASCII. */
  charset: string | null;
}

/**
 * BODYSTRUCTURE (RFC 9051 section 7.5.2) in the contract's shape; for a message without one, an empty text.
 * @param parts most parts that are returned
 */
export function readStructure(attribute: ImapAttribute | undefined, parts = MAX_PARTS): ReadStructure {
  const charset = bodyCharset(attribute);
  if (!Array.isArray(attribute)) return { root: emptyText(), truncated: false, charset };
  const reader = new Reader(charset, parts);
  return { root: reader.message(attribute, '', 0), truncated: reader.truncated, charset };
}

/**
 * One part of a message, by its number, without the limits, and without the parts nested in it. For an attached message
 * the part is the whole message.
 */
export function partOf(attribute: ImapAttribute | undefined, part: string): Structure | undefined {
  if (!Array.isArray(attribute)) return part === '1' ? emptyText() : undefined;
  const node = nodeAt(attribute, part);
  return node && bare(node, part, bodyCharset(attribute));
}

/** The body of a message, without the parts nested in it: its multipart, or its only part. */
export function bodyOf(attribute: ImapAttribute | undefined): Structure {
  return Array.isArray(attribute) ? bare(attribute, '', bodyCharset(attribute)) : { ...emptyText(), part: '' };
}

/** A message that is attached to another. */
export interface AttachedMessage {
  envelope: Envelope;
  /** Bytes of the message. */
  size: number;
  /** Its parts have the numbers that they have in the outer message. */
  structure: ReadStructure;
  /** Its body, without the parts nested in it. */
  body: Structure;
}

/**
 * The message that is attached as a part of another. In place of it, where there is none: `absent` without such a part;
 * `encoded` where a transfer encoding hides it from the server, which RFC 2046 section 5.2.1 forbids; `other` for any
 * other part.
 */
export function attachedOf(
  attribute: ImapAttribute | undefined,
  part: string,
): AttachedMessage | 'absent' | 'encoded' | 'other' {
  const node = Array.isArray(attribute) ? nodeAt(attribute, part) : undefined;
  if (!node) return 'absent';
  const nested = multipartOf(node) ? undefined : nestedOf(node);
  const { type, encoding, encodedSize } = bare(node, part, null);
  if (isMessage(type) && !isIdentity(encoding)) return 'encoded';
  if (!nested || !isMessage(type)) return 'other';
  const charset = bodyCharset(nested);
  const reader = new Reader(charset, MAX_PARTS);
  const root = reader.message(nested, part, 0);
  return {
    envelope: toEnvelope(node[7], charset),
    size: encodedSize ?? 0,
    structure: { root, truncated: reader.truncated, charset },
    body: bare(nested, part, charset),
  };
}

/** Envelopes of attached messages, by their parts: read when they are wanted, which they are not in most lists. */
const envelopes = new WeakMap<Structure, { attribute: ImapAttribute | undefined; charset: string | null } | Envelope>();

/** The envelope of the message that a part of {@link readStructure} is; null for parts that are none. */
export function attachedEnvelope(part: Structure): Envelope | null {
  const kept = envelopes.get(part);
  if (!kept || 'subject' in kept) return kept ?? null;
  const envelope = toEnvelope(kept.attribute, kept.charset);
  envelopes.set(part, envelope);
  return envelope;
}

/** Media types of messages of which servers tell the structure (RFC 9051 section 9, media-message). */
function isMessage(type: string): boolean {
  return type === 'message/rfc822' || type === 'message/global';
}

function nodeAt(attribute: ImapAttribute[], part: string): ImapAttribute[] | undefined {
  let node: ImapAttribute[] = attribute;
  let isBody = true;
  for (const index of part.split('.').map(Number)) {
    const body: ImapAttribute[] | undefined = isBody || multipartOf(node) ? node : nestedOf(node);
    const multipart = body && multipartOf(body);
    const next = multipart ? multipart.children[index - 1] : index === 1 ? body : undefined;
    if (!next) return undefined;
    node = next;
    isBody = false;
  }
  return node;
}

function bare(node: ImapAttribute[], part: string, charset: string | null): Structure {
  const multipart = multipartOf(node);
  return multipart ? toBranch(multipart, part, charset) : toLeaf(node, part, charset);
}

/** The charset of a message's first text that names one other than ASCII, which servers add where none was named. */
export function bodyCharset(attribute: ImapAttribute | undefined): string | null {
  const open = Array.isArray(attribute) ? [attribute] : [];
  for (let at = 0; at < open.length && at < MAX_PARTS; at += 1) {
    const node = open[at] ?? [];
    const multipart = multipartOf(node);
    const nested = multipart ? undefined : nestedOf(node);
    open.push(...(multipart?.children ?? []).slice(0, MAX_PARTS), ...(nested ? [nested] : []));
    if (multipart || textOf(node[0]).toLowerCase() !== 'text') continue;
    const parameters = listOf(node[2]).slice(0, 2 * MAX_PARAMETERS);
    const name = parameters.findIndex((one, index) => index % 2 === 0 && textOf(one).toLowerCase() === 'charset');
    const charset = name < 0 ? '' : textOf(parameters[name + 1]).trim();
    if (charset !== '' && charset.toLowerCase() !== 'us-ascii') return charset;
  }
  return null;
}

class Reader {
  truncated = false;
  readonly #charset: string | null;
  #left: number;

  constructor(charset: string | null, parts: number) {
    this.#charset = charset;
    this.#left = parts;
  }

  /** The body of the message with part number `path`, empty for the outermost; a multipart body has no own number. */
  message(node: ImapAttribute[], path: string, depth: number): Structure {
    const multipart = multipartOf(node);
    return multipart ? this.#multipart(multipart, path, '', depth) : this.#leaf(node, partNumber(path, 1), depth);
  }

  #node(node: ImapAttribute[], part: string, depth: number): Structure {
    const multipart = multipartOf(node);
    return multipart ? this.#multipart(multipart, part, part, depth) : this.#leaf(node, part, depth);
  }

  #multipart(multipart: Multipart, path: string, part: string, depth: number): Structure {
    const branch = toBranch(multipart, part, this.#charset);
    for (const [index, child] of multipart.children.entries()) {
      if (!this.#take(depth)) break;
      branch.children.push(this.#node(child, partNumber(path, index + 1), depth + 1));
    }
    return branch;
  }

  #leaf(node: ImapAttribute[], part: string, depth: number): Structure {
    const leaf = toLeaf(node, part, this.#charset);
    const nested = nestedOf(node);
    if (nested && isMessage(leaf.type) && isIdentity(leaf.encoding)) {
      envelopes.set(leaf, { attribute: node[7], charset: this.#charset });
    }
    if (nested && this.#take(depth)) leaf.children = [this.message(nested, part, depth + 1)];
    return leaf;
  }

  /** Whether there is room for one more part on the next level. */
  #take(depth: number): boolean {
    if (depth < MAX_DEPTH && this.#left > 1) {
      this.#left -= 1;
      return true;
    }
    this.truncated = true;
    return false;
  }
}

/** A multipart, without its parts. */
function toBranch({ subtype, parameters, disposition }: Multipart, part: string, charset: string | null): Structure {
  return {
    part,
    type: `multipart/${textOf(subtype).toLowerCase() || 'mixed'}`,
    ...blank(),
    ...dispositionOf(disposition, {}, charset),
    parameters: toParameters(parameters, charset),
  };
}

/** A part other than a multipart, without the parts nested in it. */
function toLeaf(node: ImapAttribute[], part: string, charset: string | null): Structure {
  // The members by index: to destructure them takes several times as long, and hostile mail has a thousand parts.
  const type = mediaType(textOf(node[0]).toLowerCase(), textOf(node[1]).toLowerCase());
  const parameters = toParameters(node[2], charset);
  const encoding = textOf(node[5]).trim().toLowerCase() || null;
  const encodedSize = numberOf(node[6]) ?? 0;
  const { disposition, fileName } = dispositionOf(node[extensionAt(type, node)], parameters, charset);
  return {
    part,
    type,
    parameters,
    disposition,
    fileName,
    contentId: textOf(node[3]).trim().replace(/^<|>$/g, '') || null,
    encoding,
    encodedSize,
    decodedSize: isIdentity(encoding) ? encodedSize : null,
    children: [],
  };
}

/** A Content-Type that cannot be parsed means plain text (RFC 2045 section 5.2). */
function mediaType(major: string, minor: string): string {
  if (major === '' || (major === 'text' && minor === '')) return 'text/plain';
  return `${major}/${minor || 'octet-stream'}`;
}

/** Index of the disposition: type-specific fields (lines; envelope, body, lines) and the MD5 follow the size. */
function extensionAt(type: string, node: ImapAttribute[]): number {
  if (nestedOf(node)) return 11;
  if (!type.startsWith('text/')) return 8;
  // Some servers omit the number of lines.
  return Array.isArray(node[8]) && !Array.isArray(node[9]) ? 8 : 9;
}

const noDisposition = { disposition: null, fileName: null };

function dispositionOf(
  attribute: ImapAttribute | undefined,
  typeParameters: Record<string, string>,
  charset: string | null,
): Pick<Structure, 'disposition' | 'fileName'> {
  const list = listOf(attribute);
  if (list.length === 0 && typeParameters.name === undefined) return noDisposition;
  const [kind, parameters] = list;
  const fileName = toParameters(parameters, charset).filename || typeParameters.name || '';
  return { disposition: textOf(kind).trim().toLowerCase() || null, fileName: withoutControls(fileName) || null };
}

function partNumber(path: string, index: number): string {
  return path === '' ? String(index) : `${path}.${index}`;
}

function emptyText(): Structure {
  return { part: '1', type: 'text/plain', ...blank(), encodedSize: 0, decodedSize: 0 };
}

function blank(): Omit<Structure, 'part' | 'type'> {
  return {
    parameters: {},
    disposition: null,
    fileName: null,
    contentId: null,
    encoding: null,
    encodedSize: null,
    decodedSize: null,
    children: [],
  };
}
