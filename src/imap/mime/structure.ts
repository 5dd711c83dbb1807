import type { Structure } from '../../protocol/models.js';
import { type ImapAttribute, listOf, numberOf, textOf } from '../raw-exec.js';
import { toParameters } from './structure-parameters.js';

/** Levels of nesting that are walked: part numbers of the protocol go no deeper, and hostile mail nests for ever. */
const MAX_DEPTH = 50;

/** BODYSTRUCTURE (RFC 9051 section 7.5.2) in the contract's shape; of a message without one an empty text. */
export function toStructure(attribute: ImapAttribute | undefined): Structure {
  if (!Array.isArray(attribute)) return { ...blank(), part: '1', type: 'text/plain', size: 0 };
  return toMessage(attribute, '', 0);
}

/** The body of a message, of which `path` is the part number; empty for the outermost. A multipart has no number then. */
function toMessage(node: ImapAttribute[], path: string, depth: number): Structure {
  return isMultipart(node) ? toMultipart(node, path, '', depth) : toLeaf(node, joined(path, 1), depth);
}

function toNode(node: ImapAttribute[], part: string, depth: number): Structure {
  return isMultipart(node) ? toMultipart(node, part, part, depth) : toLeaf(node, part, depth);
}

function toMultipart(node: ImapAttribute[], path: string, part: string, depth: number): Structure {
  let count = node.findIndex((member) => !Array.isArray(member));
  if (count < 0) count = node.length;
  const children = depth < MAX_DEPTH ? node.slice(0, count).filter((child) => Array.isArray(child)) : [];
  const [subtype, parameters, disposition] = node.slice(count);
  return {
    ...blank(),
    ...dispositionOf(disposition, {}),
    part,
    type: `multipart/${textOf(subtype).toLowerCase() || 'mixed'}`,
    parameters: toParameters(parameters),
    children: children.map((child, index) => toNode(child, joined(path, index + 1), depth + 1)),
  };
}

function toLeaf(node: ImapAttribute[], part: string, depth: number): Structure {
  const [major, minor, parameterList, id, , encoding, size, ...rest] = node;
  const type = mediaType(textOf(major).toLowerCase(), textOf(minor).toLowerCase());
  const parameters = toParameters(parameterList);
  const [, body] = rest;
  // Only an attached message has lists here: its envelope and its own structure.
  const nested = type.startsWith('message/') && Array.isArray(rest[0]) && Array.isArray(body) ? body : undefined;
  return {
    ...blank(),
    ...dispositionOf(rest[extensionAt(type, nested !== undefined, rest)], parameters),
    part,
    type,
    parameters,
    contentId: textOf(id).trim().replace(/^<|>$/g, '') || null,
    encoding: textOf(encoding).trim().toLowerCase() || null,
    size: numberOf(size) ?? 0,
    children: nested && depth < MAX_DEPTH ? [toMessage(nested, part, depth + 1)] : [],
  };
}

/** A Content-Type that cannot be parsed means plain text (RFC 2045 section 5.2). */
function mediaType(major: string, minor: string): string {
  if (major === '' || (major === 'text' && minor === '')) return 'text/plain';
  return `${major}/${minor || 'octet-stream'}`;
}

/** Where the disposition stands behind the size: after what its type adds (lines; envelope, body, lines) and the MD5. */
function extensionAt(type: string, nested: boolean, rest: readonly ImapAttribute[]): number {
  if (nested) return 4;
  if (!type.startsWith('text/')) return 1;
  // Some servers leave the number of lines out.
  return Array.isArray(rest[1]) && !Array.isArray(rest[2]) ? 1 : 2;
}

function dispositionOf(
  attribute: ImapAttribute | undefined,
  typeParameters: Record<string, string>,
): Pick<Structure, 'disposition' | 'fileName'> {
  const [kind, parameters] = listOf(attribute);
  const fileName = toParameters(parameters).filename || typeParameters.name || null;
  return { disposition: textOf(kind).trim().toLowerCase() || null, fileName: fileName?.trim() || null };
}

function isMultipart(node: ImapAttribute[]): boolean {
  return Array.isArray(node[0]);
}

function joined(path: string, index: number): string {
  return path === '' ? String(index) : `${path}.${index}`;
}

function blank(): Omit<Structure, 'part' | 'type'> {
  return {
    parameters: {},
    disposition: null,
    fileName: null,
    contentId: null,
    encoding: null,
    size: null,
    children: [],
  };
}

/** The node of a part number, if the message has it. The whole of an attached message is the outer node. */
export function findPart(root: Structure, part: string): Structure | undefined {
  if (root.part === part && !root.type.startsWith('multipart/')) return root;
  for (const child of root.children) {
    const found = findPart(child, part);
    if (found) return found;
  }
  return undefined;
}
