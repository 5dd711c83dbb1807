import type { Structure } from '../../../src/protocol/models.js';

/** A part of a message as a test writes it: its type, and what of it is out of the ordinary. */
export interface Written {
  type: string;
  /** Its name in the test, as its file name is not. */
  called?: string;
  size?: number;
  disposition?: string;
  fileName?: string;
  contentId?: string;
  parts?: Written[];
}

/** The structure of a message, and the names of its parts by number. */
export function treeOf(root: Written): { root: Structure; called: (part: string) => string } {
  const names = new Map<string, string>();
  const build = (written: Written, path: string): Structure => {
    const multipart = written.parts !== undefined;
    const part = path === '' && !multipart ? '1' : path;
    names.set(part, written.called ?? written.type);
    return {
      part,
      type: written.type,
      parameters: {},
      disposition: written.disposition ?? null,
      fileName: written.fileName ?? null,
      contentId: written.contentId ?? null,
      encoding: null,
      encodedSize: multipart ? null : (written.size ?? 100),
      decodedSize: multipart ? null : (written.size ?? 100),
      children: (written.parts ?? []).map((child, at) => build(child, path === '' ? `${at + 1}` : `${path}.${at + 1}`)),
    };
  };
  return { root: build(root, ''), called: (part) => names.get(part) ?? part };
}

export const part = (type: string, more: Omit<Written, 'type'> = {}): Written => ({ type, ...more });
export const multipart = (subtype: string, ...parts: Written[]): Written => ({ type: `multipart/${subtype}`, parts });
export const plain = (called: string, more: Omit<Written, 'type'> = {}) => part('text/plain', { called, ...more });
export const html = (called: string, more: Omit<Written, 'type'> = {}) => part('text/html', { called, ...more });
export const image = (called: string, more: Omit<Written, 'type'> = {}) => part('image/jpeg', { called, ...more });
