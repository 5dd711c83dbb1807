import type { Attachment, Envelope, Structure } from '../../protocol/models.js';
import { isMedia, type Place, roleOf } from './roles.js';
import { attachedEnvelope } from './structure.js';

/** The parts that a mail reader shows, in their order, and the files that it offers. */
export interface Readable {
  /** Parts to show where plain text is preferred, and where html is: texts, with images, audio and video between. */
  textBody: Structure[];
  htmlBody: Structure[];
  /** All parts other than the texts of the bodies. */
  files: ReadableFile[];
}

export interface ReadableFile extends Attachment {
  /** Whether the file belongs to a multipart/related, whose html can show it. */
  embedded: boolean;
}

/** The bodies that are being collected; null where the following parts belong only to the other body. */
interface Bodies {
  text: Structure[] | null;
  html: Structure[] | null;
}

/**
 * Sorts a message's parts as RFC 8621 section 4.1.4 does, so that texts are in their order. In addition, as mail
 * readers do: of alternatives of one kind the last is shown, and an empty one only if all are empty; a text with a file
 * name is an alternative too; the root of a multipart/related may be any of its parts.
 */
export function readable(root: Structure): Readable {
  return sorted(root, attachedEnvelope);
}

/** Like {@link readable}, but without the envelopes of attached messages. */
export function sortedParts(root: Structure): Readable {
  return sorted(root, () => null);
}

function sorted(root: Structure, envelopeOf: (part: Structure) => Envelope | null): Readable {
  const sorter = new Sorter(envelopeOf);
  const bodies: Bodies = { text: [], html: [] };
  sorter.parts([root], 'mixed', { inAlternative: false, embedded: false }, bodies);
  return { textBody: bodies.text ?? [], htmlBody: bodies.html ?? [], files: sorter.files };
}

/**
 * Whether a list should show a paper clip: the message has a file that a person would call an attachment. An image
 * between the texts counts if it has a file name.
 */
export function hasAttachment(root: Structure): boolean {
  return offersFile(sortedParts(root));
}

/** Like {@link hasAttachment}, of sorted parts. */
export function offersFile({ files }: Readable): boolean {
  return files.some(
    ({ role, embedded, fileName }) => role === 'attachment' || (role === 'inline' && !embedded && fileName !== null),
  );
}

interface Around {
  inAlternative: boolean;
  embedded: boolean;
}

class Sorter {
  readonly files: ReadableFile[] = [];
  readonly #envelopeOf: (part: Structure) => Envelope | null;

  constructor(envelopeOf: (part: Structure) => Envelope | null) {
    this.#envelopeOf = envelopeOf;
  }

  /** Sorts the parts of a multipart: texts, and media between them, into the bodies; others into the files. */
  parts(parts: readonly Structure[], multipart: string, around: Around, bodies: Bodies): void {
    if (multipart === 'alternative') {
      this.#alternatives(parts, around, bodies);
      return;
    }
    const root = multipart === 'related' ? relatedRoot(parts) : parts[0];
    // Within alternatives the first text decides to which body all parts of this multipart belong.
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

  /** Takes the last of several plain or html alternatives, which is the richest (RFC 2046 section 5.1.4). */
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
    const envelope = this.#envelopeOf(part);
    this.files.push({
      part: part.part,
      fileName: part.fileName,
      type: part.type,
      role: roleOf(part, place),
      encodedSize: part.encodedSize ?? 0,
      decodedSize: part.decodedSize,
      contentId: part.contentId,
      message: envelope && { envelope },
      embedded: place.embedded,
    });
  }
}

/** The part that shows the others (RFC 2387): the part that `start` names is rarely another than the first. */
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

/** Whether any part has content; a part of two bytes is usually only a line end. */
function isFilled(parts: readonly Structure[]): boolean {
  return parts.some(({ encodedSize }) => encodedSize !== 0 && encodedSize !== 2);
}
