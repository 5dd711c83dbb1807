import type { MessageStructureObject } from 'imapflow';
import type { Attachment, Structure } from '../protocol/models.js';

/** Levels of nesting that are walked; nobody reads deeper, and hostile mail nests for ever. */
const MAX_DEPTH = 64;

/** imapflow's body structure in the contract's shape. */
export function toStructure(node: MessageStructureObject | undefined, depth = 0): Structure {
  if (!node) return leaf('1', 'text/plain');
  const multipart = node.type.startsWith('multipart/');
  const children = depth < MAX_DEPTH ? (node.childNodes ?? []) : [];
  return {
    // imapflow leaves the number of a message's only part out.
    part: node.part ?? (multipart || depth > 0 ? '' : '1'),
    type: node.type.toLowerCase(),
    parameters: { ...node.parameters },
    disposition: node.disposition?.toLowerCase() || null,
    fileName: node.dispositionParameters?.filename || node.parameters?.name || null,
    contentId: node.id?.replace(/^<|>$/g, '') || null,
    encoding: node.encoding?.toLowerCase() || null,
    size: multipart ? null : (node.size ?? 0),
    children: children.map((child) => toStructure(child, depth + 1)),
  };
}

function leaf(part: string, type: string): Structure {
  return {
    part,
    type,
    parameters: {},
    disposition: null,
    fileName: null,
    contentId: null,
    encoding: null,
    size: 0,
    children: [],
  };
}

/** Which parts a reader shows, and which it offers for download. */
export interface Readable {
  text: Structure[];
  html: Structure[];
  attachments: Attachment[];
}

/** Sorts a message's parts the way that mail readers do. */
export function readable(root: Structure): Readable {
  const found: Readable = { text: [], html: [], attachments: [] };
  visit(root, found, false);
  return found;
}

function visit(node: Structure, found: Readable, related: boolean): void {
  if (node.type === 'multipart/alternative') {
    visitAlternatives(node, found, related);
  } else if (node.type.startsWith('multipart/')) {
    for (const child of node.children) visit(child, found, related || node.type === 'multipart/related');
  } else if (isBody(node)) {
    (node.type === 'text/html' ? found.html : found.text).push(node);
  } else {
    found.attachments.push(toAttachment(node, related));
  }
}

/** Of several plain or html alternatives the last is the richest (RFC 2046 section 5.1.4). */
function visitAlternatives(node: Structure, found: Readable, related: boolean): void {
  const parts: Readable = { text: [], html: [], attachments: [] };
  for (const child of node.children) {
    const one: Readable = { text: [], html: [], attachments: [] };
    visit(child, one, related);
    if (one.text.length > 0) parts.text = one.text;
    if (one.html.length > 0) parts.html = one.html;
    parts.attachments.push(...one.attachments);
  }
  found.text.push(...parts.text);
  found.html.push(...parts.html);
  found.attachments.push(...parts.attachments);
}

function isBody({ type, disposition, fileName, part }: Structure): boolean {
  if (type !== 'text/plain' && type !== 'text/html') return false;
  return disposition !== 'attachment' && (fileName === null || part === '1');
}

function toAttachment(node: Structure, related: boolean): Attachment {
  const shown = node.disposition === 'inline' || (related && node.contentId !== null);
  return {
    part: node.part,
    fileName: node.fileName,
    type: node.type,
    size: node.size ?? 0,
    contentId: node.contentId,
    inline: node.disposition !== 'attachment' && shown,
  };
}

/** Whether a list should show a paper clip: something is attached that the text does not show by itself. */
export function hasAttachment(root: Structure): boolean {
  return readable(root).attachments.some(({ inline }) => !inline);
}

/** The node of a part number, if the message has it. The whole of an attached message is the outer node. */
export function findPart(root: Structure, part: string): Structure | undefined {
  if (root.part === part && (root.children.length === 0 || root.type === 'message/rfc822')) return root;
  for (const child of root.children) {
    const found = findPart(child, part);
    if (found) return found;
  }
  return undefined;
}
