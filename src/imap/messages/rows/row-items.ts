import type { Attachment, Structure } from '../../../protocol/models.js';
import {
  asksFor,
  type Field,
  headersOf,
  type ListField,
  type MessageSummary,
  membersOf,
  type RowMember,
} from '../../../protocol/rows.js';
import type { ImapConnection } from '../../connection/connection.js';
import { toIso } from '../../mime/convert-date.js';
import { toEnvelope } from '../../mime/envelope.js';
import { shownPreview } from '../../mime/preview.js';
import { parseHeaders } from '../../mime/raw-headers.js';
import { readStructure } from '../../mime/structure.js';
import { offersFile, type Readable, readable, sortedParts } from '../../mime/structure-readable.js';
import { toFlags } from '../../wire/convert.js';
import { atom, bytesOf, type ImapArgument, type ImapAttribute, listOf, numberOf, textOf } from '../../wire/tokens.js';
import { type FetchedRow, peekHeaders } from '../fetch-rows.js';

/** Most bytes of header lines that are read of each row. */
export const ROW_HEADER_BYTES = 16 * 1024;
/** Most characters of JSON of the structure of a row, and of its attachments. */
const MOST_JSON = 64 * 1024;
/** Parts of a structure that is too long: as many as fit. */
const FEWER_PARTS = [100, 10];

export const HEADERS = 'BODY[HEADER.FIELDS]';
/** Items that servers may refuse for a message that they cannot parse. */
const heavy = new Set(['BODYSTRUCTURE', 'PREVIEW', HEADERS]);

/** The FETCH items for the members of index rows, and the rows made of what they answer. */
export class RowItems {
  readonly #connection: ImapConnection;
  readonly #fields: readonly Field[];
  readonly #headers: readonly string[];
  /** The item that each member is made of, the short ones first: a row that is too long has those at least. */
  readonly #sources: ReadonlyMap<RowMember, string>;

  constructor(connection: ImapConnection, fields: readonly Field[]) {
    this.#connection = connection;
    this.#fields = fields;
    this.#headers = headersOf(fields);
    this.#sources = sourcesOf(connection, fields);
  }

  /** The items to ask for. @param light without those that servers may refuse */
  items(light = false): ImapArgument[] {
    const names = [...new Set(this.#sources.values())].filter((name) => !light || !heavy.has(name));
    return names.map((name) =>
      name === HEADERS ? peekHeaders(this.#headers, { partial: { start: 0, length: ROW_HEADER_BYTES } }) : atom(name),
    );
  }

  /** Items of a row that count as unreadable when only the light ones could be fetched, or only the flags. */
  missing(fetched: 'light' | 'flags'): Set<string> {
    const has = (name: string) => (fetched === 'light' ? !heavy.has(name) : name === 'FLAGS');
    return new Set([...this.#sources.values()].filter((name) => !has(name)));
  }

  /** @param charset of headers that are no UTF-8, where the structure is not among the items */
  summary(row: FetchedRow, charset: string | null = null): { summary: MessageSummary; readable: Readable | undefined } {
    const { uid, items } = row;
    const summary: MessageSummary = { uid };
    const unreadable = this.#unreadable(row);
    const body = this.#body(items, summary, unreadable);
    for (const field of this.#fields) {
      const value = typeof field === 'string' ? items.get(this.#sources.get(field) ?? '') : undefined;
      if (field === 'envelope') summary.envelope = toEnvelope(value);
      if (field === 'flags') summary.flags = toFlags(value);
      if (field === 'size') summary.size = numberOf(value) ?? 0;
      if (field === 'internalDate') summary.internalDate = toInternalDate(textOf(value));
      if (field === 'preview') Object.assign(summary, previewIn(items.get('PREVIEW')));
      if (field === 'emailId') summary.emailId = idIn(value);
      if (field === 'threadId') summary.threadId = idIn(value);
      if (field === 'labels') summary.labels = this.#labels(value, unreadable);
    }
    if (this.#headers.length > 0) {
      const bytes = bytesOf(items.get(HEADERS)) ?? Buffer.alloc(0);
      if (bytes.length >= ROW_HEADER_BYTES) unreadable.add('headers');
      summary.headers = headerLines(bytes, this.#headers, body.charset ?? charset);
    }
    if (unreadable.size > 0) summary.unreadable = membersOf(this.#fields).filter((member) => unreadable.has(member));
    return { summary, readable: body.readable };
  }

  /** The header lines of a row again, with the charset of its body. */
  headersAgain(bytes: Buffer, charset: string): NonNullable<MessageSummary['headers']> {
    return headerLines(bytes, this.#headers, charset);
  }

  #unreadable({ unreadable }: FetchedRow): Set<RowMember> {
    const members = new Set<RowMember>();
    if (unreadable.size === 0) return members;
    for (const [member, item] of this.#sources) if (unreadable.has(item)) members.add(member);
    return members;
  }

  /** Fills in what is made of the structure. */
  #body(
    items: FetchedRow['items'],
    summary: MessageSummary,
    unreadable: Set<RowMember>,
  ): { readable: Readable | undefined; charset: string | null } {
    const attribute = items.get('BODYSTRUCTURE');
    const asked = [...this.#sources.values()].includes('BODYSTRUCTURE');
    if (!asked) return { readable: undefined, charset: null };
    const { root, truncated, charset } = readStructure(attribute);
    // Envelopes of attached messages are read where they are shown: hostile ones have thousands of addresses.
    const sorted = asksFor(this.#fields, 'attachments') ? readable(root) : sortedParts(root);
    if (asksFor(this.#fields, 'hasAttachment')) summary.hasAttachment = offersFile(sorted);
    if (asksFor(this.#fields, 'structure')) {
      summary.structure = boundedStructure(root, attribute);
      if (truncated || summary.structure !== root) unreadable.add('structure');
    }
    if (asksFor(this.#fields, 'attachments')) {
      const all = sorted.files.map(({ embedded: _, ...file }) => file);
      summary.attachments = boundedFiles(all);
      if (truncated || summary.attachments.length < all.length) unreadable.add('attachments');
    }
    return { readable: attribute === undefined ? undefined : sorted, charset };
  }

  #labels(attribute: ImapAttribute | undefined, unreadable: Set<RowMember>): string[] | null {
    if (!this.#sources.has('labels')) return null;
    const labels = listOf(attribute)
      .map((label) => this.#connection.nameOf(label))
      .filter((label) => label !== '');
    let left = MOST_JSON;
    const short = labels.filter((label) => {
      left -= label.length;
      return left >= 0;
    });
    if (short.length < labels.length) unreadable.add('labels');
    return short;
  }
}

function sourcesOf(connection: ImapConnection, fields: readonly Field[]): Map<RowMember, string> {
  const gmail = connection.has('X-GM-EXT-1');
  const objectId = connection.has('OBJECTID');
  const items: [ListField, string | undefined][] = [
    ['flags', 'FLAGS'],
    ['size', 'RFC822.SIZE'],
    ['internalDate', 'INTERNALDATE'],
    ['emailId', objectId ? 'EMAILID' : gmail ? 'X-GM-MSGID' : undefined],
    ['threadId', objectId ? 'THREADID' : gmail ? 'X-GM-THRID' : undefined],
    ['labels', gmail ? 'X-GM-LABELS' : undefined],
  ];
  const sources = new Map<RowMember, string>();
  const add = (member: ListField, item: string | undefined) => {
    if (item !== undefined && asksFor(fields, member)) sources.set(member, item);
  };
  for (const [member, item] of items) add(member, item);
  if (connection.has('PREVIEW')) add('preview', 'PREVIEW');
  add('envelope', 'ENVELOPE');
  if (headersOf(fields).length > 0) sources.set('headers', HEADERS);
  for (const member of ['hasAttachment', 'attachments', 'structure'] as const) add(member, 'BODYSTRUCTURE');
  if (!connection.has('PREVIEW')) add('preview', 'BODYSTRUCTURE');
  return sources;
}

/** INTERNALDATE as RFC 3339; a date that cannot be read becomes the epoch, because every message must have one. */
export function toInternalDate(text: string): string {
  return toIso(text) ?? new Date(0).toISOString();
}

/** PREVIEW (RFC 8970): a string; in a list with its algorithm, as drafts had it, on older servers. */
function previewIn(attribute: ImapAttribute | undefined): Pick<MessageSummary, 'preview' | 'previewSource'> {
  const preview = shownPreview(textOf(Array.isArray(attribute) ? attribute.at(-1) : attribute));
  return { preview, previewSource: preview === null ? null : 'server' };
}

/** An id of 1 to 255 letters, digits, `_` and `-`: alone, or in parentheses as in RFC 8474 section 7. */
function idIn(attribute: ImapAttribute | undefined): string | null {
  const id = textOf(Array.isArray(attribute) ? attribute[0] : attribute);
  return /^[\w-]{1,255}$/.test(id) ? id : null;
}

function headerLines(
  bytes: Buffer,
  names: readonly string[],
  charset: string | null,
): NonNullable<MessageSummary['headers']> {
  const lines = parseHeaders(bytes.subarray(0, ROW_HEADER_BYTES), charset).map(({ name, value }) => ({
    name: name.toLowerCase(),
    value,
  }));
  return names.flatMap((name) => {
    const lower = name.toLowerCase();
    return lines.flatMap((line) => (line.name === lower ? [{ name, value: line.value }] : []));
  });
}

function boundedStructure(root: Structure, attribute: ImapAttribute | undefined): Structure {
  if (JSON.stringify(root).length <= MOST_JSON) return root;
  for (const parts of FEWER_PARTS) {
    const smaller = readStructure(attribute, parts).root;
    if (JSON.stringify(smaller).length <= MOST_JSON) return smaller;
  }
  return { ...root, type: root.type.slice(0, 200), parameters: {}, fileName: null, contentId: null, children: [] };
}

function boundedFiles(files: Attachment[]): Attachment[] {
  let left = MOST_JSON;
  const end = files.findIndex((file) => {
    left -= JSON.stringify(file).length + 1;
    return left < 0;
  });
  return end < 0 ? files : files.slice(0, end);
}
