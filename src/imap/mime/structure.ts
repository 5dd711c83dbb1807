import type { Structure } from '../../protocol/models.js';
import { type ImapAttribute, listOf, numberOf, textOf } from '../wire/tokens.js';
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

/** One part of a message, by its number, without the limits. For an attached message the part is the whole message. */
export function partOf(attribute: ImapAttribute | undefined, part: string): Structure | undefined {
  if (!Array.isArray(attribute)) return part === '1' ? emptyText() : undefined;
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
  return multipartOf(node) ? undefined : toLeaf(node, part, bodyCharset(attribute));
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
    const { children, subtype, parameters, disposition } = multipart;
    const parts: Structure[] = [];
    for (const [index, child] of children.entries()) {
      if (!this.#take(depth)) break;
      parts.push(this.#node(child, partNumber(path, index + 1), depth + 1));
    }
    return {
      part,
      type: `multipart/${textOf(subtype).toLowerCase() || 'mixed'}`,
      ...blank(),
      ...dispositionOf(disposition, {}, this.#charset),
      parameters: toParameters(parameters, this.#charset),
      children: parts,
    };
  }

  #leaf(node: ImapAttribute[], part: string, depth: number): Structure {
    const leaf = toLeaf(node, part, this.#charset);
    const nested = nestedOf(node);
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
