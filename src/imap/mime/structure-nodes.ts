import { type ImapAttribute, numberOf, textOf } from '../wire/tokens.js';

/** A multipart of a BODYSTRUCTURE. */
export interface Multipart {
  children: ImapAttribute[][];
  subtype: ImapAttribute | undefined;
  parameters: ImapAttribute | undefined;
  disposition: ImapAttribute | undefined;
}

/**
 * The multipart that a node of a BODYSTRUCTURE stands for; undefined for any other part. By RFC 9051 a multipart begins
 * with its parts. For a multipart without parts, which the grammar does not have, servers send `(() "mixed" ...)`,
 * `(NIL "mixed" ...)`, `("mixed" (...) ...)` or `("multipart" "mixed" ...)`.
 */
export function multipartOf(node: readonly ImapAttribute[]): Multipart | undefined {
  const first = node[0];
  const second = node[1];
  if (Array.isArray(first)) {
    const end = node.findIndex((member) => !Array.isArray(member));
    const [subtype, parameters, disposition] = end < 0 ? [] : node.slice(end);
    const children = (end < 0 ? node : node.slice(0, end)).filter((child) => Array.isArray(child) && child.length > 0);
    return { children: children as ImapAttribute[][], subtype, parameters, disposition };
  }
  if (textOf(first).toLowerCase() === 'multipart') {
    const disposition = node.slice(3).find((member) => Array.isArray(member));
    return { children: [], subtype: second, parameters: node[2], disposition };
  }
  // A part other than a multipart has its encoded size here.
  if (numberOf(node[6]) !== undefined || node.length === 0) return undefined;
  if (first === null && textOf(second) !== '') {
    return { children: [], subtype: second, parameters: node[2], disposition: node[3] };
  }
  if (textOf(first) !== '' && Array.isArray(second)) {
    return { children: [], subtype: first, parameters: second, disposition: node[2] };
  }
  return undefined;
}

/** The body of an attached message, whose node has an envelope and a structure; undefined for other parts. */
export function nestedOf(node: readonly ImapAttribute[]): ImapAttribute[] | undefined {
  const envelope = node[7];
  const body = node[8];
  if (!Array.isArray(envelope) || !Array.isArray(body)) return undefined;
  return textOf(node[0]).toLowerCase() === 'message' ? body : undefined;
}
