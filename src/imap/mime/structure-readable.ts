import type { Attachment, Structure } from '../../protocol/models.js';

/** Which parts a reader shows, and which it offers for download. */
export interface Readable {
  text: Structure[];
  html: Structure[];
  attachments: ReadableAttachment[];
}

export interface ReadableAttachment extends Attachment {
  /** The html beside it can show it, by its content id. */
  related: boolean;
}

/**
 * Sorts a message's parts the way that mail readers do: texts that are no files make the body, in their order; of
 * alternatives one of each kind; all else is attached, an attached message as one.
 */
export function readable(root: Structure): Readable {
  const found: Readable = { text: [], html: [], attachments: [] };
  visit(root, root, found, false);
  return found;
}

/** Whether a list should show a paper clip: something is attached that the html does not show by itself. */
export function hasAttachment(root: Structure): boolean {
  return readable(root).attachments.some(({ related }) => !related);
}

function visit(node: Structure, root: Structure, found: Readable, related: boolean): void {
  if (node.type === 'multipart/alternative') {
    visitAlternatives(node, root, found, related);
  } else if (node.type.startsWith('multipart/')) {
    for (const child of node.children) visit(child, root, found, related || node.type === 'multipart/related');
  } else if (isBody(node, node === root)) {
    (node.type === 'text/html' ? found.html : found.text).push(node);
  } else {
    found.attachments.push(toAttachment(node, related));
  }
}

/** Of several plain or html alternatives the last is the richest (RFC 2046 section 5.1.4). */
function visitAlternatives(node: Structure, root: Structure, found: Readable, related: boolean): void {
  let text: Structure[] = [];
  let html: Structure[] = [];
  for (const child of node.children) {
    const one: Readable = { text: [], html: [], attachments: [] };
    visit(child, root, one, related);
    if (one.text.length > 0) text = one.text;
    if (one.html.length > 0) html = one.html;
    found.attachments.push(...one.attachments);
  }
  found.text.push(...text);
  found.html.push(...html);
}

/** Whatever has a file name is a file, unless the message consists of nothing else. */
function isBody({ type, disposition, fileName }: Structure, alone: boolean): boolean {
  if (type !== 'text/plain' && type !== 'text/html') return false;
  return disposition !== 'attachment' && (fileName === null || alone);
}

function toAttachment(node: Structure, inRelated: boolean): ReadableAttachment {
  const related = inRelated && node.contentId !== null && node.disposition !== 'attachment';
  return {
    part: node.part,
    fileName: node.fileName,
    type: node.type,
    size: node.size ?? 0,
    contentId: node.contentId,
    inline: related || node.disposition === 'inline',
    related,
  };
}
