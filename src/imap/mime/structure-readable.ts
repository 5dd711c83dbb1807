import type { Attachment, Structure } from '../../protocol/models.js';
import { isMedia, type Place, roleOf } from './roles.js';

/** Which parts a reader shows, in which order, and which files it offers. */
export interface Readable {
  /** What is shown where plain text is preferred, and where html is: texts, and pictures, sounds and films between them. */
  textBody: Structure[];
  htmlBody: Structure[];
  /** All parts that are no texts of the body. */
  files: ReadableFile[];
}

export interface ReadableFile extends Attachment {
  /** Belongs to a multipart/related, whose html can show it. */
  embedded: boolean;
}

/** Bodies that are gathered; null where what follows is of the other kind alone. */
interface Bodies {
  text: Structure[] | null;
  html: Structure[] | null;
}

/**
 * Sorts a message's parts as RFC 8621 section 4.1.4 does, so that texts are in their order. As mail readers do, beyond that:
 * of alternatives of one kind the last is shown, an empty one never beside a filled one; a text with a file name is an
 * alternative too; the root of a multipart/related may stand anywhere in it.
 */
export function readable(root: Structure): Readable {
  const sorter = new Sorter();
  const bodies: Bodies = { text: [], html: [] };
  sorter.parts([root], 'mixed', { inAlternative: false, embedded: false }, bodies);
  return { textBody: bodies.text ?? [], htmlBody: bodies.html ?? [], files: sorter.files };
}

/**
 * Whether a list should show a paper clip: something is attached that a person would call an attachment. A picture between
 * the texts counts where it has a file name.
 */
export function hasAttachment(root: Structure): boolean {
  return readable(root).files.some(
    ({ role, embedded, fileName }) => role === 'attachment' || (role === 'inline' && !embedded && fileName !== null),
  );
}

interface Around {
  inAlternative: boolean;
  embedded: boolean;
}

class Sorter {
  readonly files: ReadableFile[] = [];

  /** The parts of a multipart, into the bodies as far as those are texts or stand between them. */
  parts(parts: readonly Structure[], multipart: string, around: Around, bodies: Bodies): void {
    if (multipart === 'alternative') {
      this.#alternatives(parts, around, bodies);
      return;
    }
    const root = multipart === 'related' ? relatedRoot(parts) : parts[0];
    // Within alternatives the first text decides which of the bodies all of these parts belong to.
    const here = { ...bodies };
    for (const part of parts) {
      const embedded = around.embedded || (multipart === 'related' && part !== root);
      const place: Place = { multipart, embedded, shown: false };
      if (part.type.startsWith('multipart/')) {
        this.parts(part.children, part.type.slice(10), { ...around, embedded }, here);
      } else if (!isShown(part, part === root, multipart)) {
        this.#file(part, place);
      } else {
        if (around.inAlternative && part.type === 'text/plain') here.html = null;
        if (around.inAlternative && part.type === 'text/html') here.text = null;
        here.text?.push(part);
        here.html?.push(part);
        if (isMedia(part)) this.#file(part, { ...place, shown: true });
      }
    }
  }

  /** Of several plain or html alternatives the last is the richest (RFC 2046 section 5.1.4). */
  #alternatives(parts: readonly Structure[], around: Around, bodies: Bodies): void {
    const found = parts.map((part) => this.#alternative(part, around));
    const filled = found.some(({ text, html }) => isFilled(text) || isFilled(html));
    const wanted = (one: Structure[]) => (filled ? isFilled(one) : one.length > 0);
    const text = found.findLast((one) => wanted(one.text))?.text ?? [];
    const html = found.findLast((one) => wanted(one.html))?.html ?? [];
    bodies.text?.push(...(text.length > 0 ? text : html));
    bodies.html?.push(...(html.length > 0 ? html : text));
  }

  #alternative(part: Structure, around: Around): { text: Structure[]; html: Structure[] } {
    const own = { text: [] as Structure[], html: [] as Structure[] };
    if (part.type.startsWith('multipart/')) {
      this.parts(part.children, part.type.slice(10), { ...around, inAlternative: true }, own);
    } else if (part.disposition !== 'attachment' && part.type === 'text/plain') {
      own.text.push(part);
    } else if (part.disposition !== 'attachment' && part.type === 'text/html') {
      own.html.push(part);
    } else {
      this.#file(part, { multipart: 'alternative', embedded: around.embedded, shown: false });
    }
    return own;
  }

  #file(part: Structure, place: Place): void {
    this.files.push({
      part: part.part,
      fileName: part.fileName,
      type: part.type,
      role: roleOf(part, place),
      encodedSize: part.encodedSize ?? 0,
      decodedSize: part.decodedSize,
      contentId: part.contentId,
      embedded: place.embedded,
    });
  }
}

/** The part that shows the others (RFC 2387): that which `start` names is seldom another than the first. */
function relatedRoot(parts: readonly Structure[]): Structure | undefined {
  const [first] = parts;
  const isRoot = ({ type }: Structure) => type.startsWith('text/') || type.startsWith('multipart/');
  return first && isRoot(first) ? first : (parts.find(isRoot) ?? first);
}

function isShown(part: Structure, first: boolean, multipart: string): boolean {
  if (part.disposition === 'attachment') return false;
  const text = part.type === 'text/plain' || part.type === 'text/html';
  if (!text && !isMedia(part)) return false;
  return first || (multipart !== 'related' && (!text || part.fileName === null));
}

/** Two bytes are a line end, as a rule. */
function isFilled(parts: readonly Structure[]): boolean {
  return parts.some(({ encodedSize }) => encodedSize !== 0 && encodedSize !== 2);
}
