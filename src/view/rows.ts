import { type Field, headersOf, type ListField, type MessageSummary, type RowMember } from '../protocol/rows.js';
import { shortEnvelope, wholeEnvelope } from './envelope-text.js';
import { HeaderTexts } from './header-texts.js';
import { bytesOfString, inFewBytes } from './string-bytes.js';

/** Members that are asked for rarely, ready to be sent; strings are JSON. */
class More {
  attachments: string | undefined;
  structure: string | undefined;
  emailId: string | undefined;
  threadId: string | undefined;
  /** See {@link HeaderTexts}. */
  headers: string | undefined;
  /** Members that could not be read, or only in part; of header lines, {@link HeaderTexts} knows. */
  unreadable: readonly RowMember[] | undefined;
}

/** The immutable fields of a message, ready to be sent: a page is put together without building objects. */
class Row {
  /** As JSON, shortened. */
  envelope: string | undefined;
  size: number | undefined;
  internalDate: string | undefined;
  hasAttachment: boolean | undefined;
  /** As JSON, behind the first letter of its source. */
  preview: string | undefined;
  more: More | undefined;
}

/** Bytes of a row besides its strings: the object, and its entry in the map. */
const ROW_BYTES = 112;
const MORE_BYTES = 72;
/** Bytes of the labels of a message besides their string. */
const LABELS_BYTES = 40;

type Kept = 'attachments' | 'structure' | 'emailId' | 'threadId';
const kept: readonly Kept[] = ['attachments', 'structure', 'emailId', 'threadId'];

/** The immutable fields of a folder's index rows, by uid. */
export class Rows {
  readonly #rows = new Map<number, Row>();
  #bytes = 0;
  /** Labels as JSON, as the server told them since the view was last confirmed. */
  #labels: Map<number, string> | undefined;
  /** Whether the server is known to have no labels. */
  #noLabels = false;

  /** Bytes in the heap; the sizes were measured: see the test. */
  get bytes(): number {
    return this.#bytes;
  }

  get size(): number {
    return this.#rows.size;
  }

  /** Whether all immutable ones of the fields are there. */
  has(uid: number, fields: readonly Field[]): boolean {
    const row = this.#rows.get(uid);
    return fields.every((field) => this.#knows(uid, row, field));
  }

  /** What of the fields some of the messages lack. */
  lacking(uids: readonly number[], fields: readonly Field[]): Field[] {
    const rows = uids.map((uid) => [uid, this.#rows.get(uid)] as const);
    return fields.flatMap((field): Field[] => {
      if (typeof field === 'string') return rows.every(([uid, row]) => this.#knows(uid, row, field)) ? [] : [field];
      const headers = field.headers.filter(
        (name) => !rows.every(([, row]) => HeaderTexts.has(row?.more?.headers, name)),
      );
      return headers.length > 0 ? [{ headers }] : [];
    });
  }

  /**
   * Whether any of the fields may change without a word of the server, so that neither a state nor an age tells that what
   * is kept still holds.
   */
  changesUnheard(fields: readonly Field[]): boolean {
    return fields.includes('labels') && !this.#noLabels;
  }

  /** @param headers names of the header lines that the row was asked for */
  add(message: MessageSummary, headers: readonly string[] = []): void {
    const { uid, envelope, size, internalDate, hasAttachment, preview, previewSource, labels } = message;
    const known = this.#rows.get(uid);
    const row = known ?? new Row();
    if (known) this.#bytes -= rowBytes(known);
    if (envelope) row.envelope = inFewBytes(shortEnvelope(envelope));
    if (size !== undefined) row.size = size;
    if (internalDate !== undefined) row.internalDate = internalDate;
    if (hasAttachment !== undefined) row.hasAttachment = hasAttachment;
    if (preview !== undefined) {
      row.preview = inFewBytes(`${(previewSource ?? 'none').charAt(0)}${JSON.stringify(preview)}`);
    }
    addMore(row, message, headers);
    this.#rows.set(uid, row);
    this.#bytes += rowBytes(row);
    if (labels !== undefined) this.#addLabels(uid, labels);
  }

  remove(uid: number): void {
    this.#forgetLabelsOf(uid);
    const row = this.#rows.get(uid);
    if (!row) return;
    this.#bytes -= rowBytes(row);
    this.#rows.delete(uid);
  }

  clear(): void {
    this.#rows.clear();
    this.#labels = undefined;
    this.#noLabels = false;
    this.#bytes = 0;
  }

  /** Labels change without a word of the server: those that are kept hold until the view is confirmed once more. */
  forgetLabels(): void {
    for (const uid of this.#labels?.keys() ?? []) this.#forgetLabelsOf(uid);
    this.#labels = undefined;
  }

  /** Removes the rows of the oldest messages until at most `most` are left. */
  keep(most: number): void {
    const surplus = this.#rows.size - most;
    if (surplus <= 0) return;
    for (const uid of [...this.#rows.keys()].sort((a, b) => a - b).slice(0, surplus)) this.remove(uid);
  }

  /** A row of an answer as JSON; all of the fields must be there. */
  json(uid: number, fields: readonly Field[], flags: string): string {
    const row = this.#rows.get(uid);
    const names = headersOf(fields);
    let json = `{"uid":${uid}`;
    for (const field of fields) json += `,${this.#memberJson(uid, row, field, flags)}`;
    const unreadable: RowMember[] =
      row?.more?.unreadable?.filter((member) => fields.some((one) => one === member)) ?? [];
    if (names.length > 0 && HeaderTexts.areCut(row?.more?.headers, names)) unreadable.push('headers');
    return unreadable.length === 0 ? `${json}}` : `${json},"unreadable":${JSON.stringify(unreadable)}}`;
  }

  #knows(uid: number, row: Row | undefined, field: Field): boolean {
    if (typeof field !== 'string') return field.headers.every((name) => HeaderTexts.has(row?.more?.headers, name));
    if (field === 'flags') return true;
    if (field === 'labels') return this.#noLabels || this.#labels?.has(uid) === true;
    return row !== undefined && (isKept(field) ? row.more?.[field] : row[field]) !== undefined;
  }

  #memberJson(uid: number, row: Row | undefined, field: Field, flags: string): string {
    if (typeof field !== 'string') return `"headers":${HeaderTexts.json(row?.more?.headers, headersOf([field]))}`;
    if (field === 'flags') return `"flags":${flags}`;
    if (field === 'labels') return `"labels":${this.#labels?.get(uid) ?? 'null'}`;
    if (isKept(field)) return `"${field}":${row?.more?.[field]}`;
    if (field === 'preview') return previewJson(row?.preview ?? '');
    return `"${field}":${fieldJson(row, field)}`;
  }

  #addLabels(uid: number, labels: readonly string[] | null): void {
    this.#noLabels = labels === null;
    this.#forgetLabelsOf(uid);
    if (labels === null) return;
    const json = inFewBytes(JSON.stringify(labels));
    this.#labels ??= new Map();
    this.#labels.set(uid, json);
    this.#bytes += LABELS_BYTES + bytesOfString(json);
  }

  #forgetLabelsOf(uid: number): void {
    const json = this.#labels?.get(uid);
    if (json === undefined) return;
    this.#labels?.delete(uid);
    this.#bytes -= LABELS_BYTES + bytesOfString(json);
  }
}

function isKept(field: ListField): field is Kept {
  return (kept as readonly ListField[]).includes(field);
}

function addMore(row: Row, message: MessageSummary, names: readonly string[]): void {
  const { unreadable, headers } = message;
  const members = kept.filter((name) => message[name] !== undefined);
  if (members.length === 0 && !unreadable && !headers) return;
  row.more ??= new More();
  for (const name of members) row.more[name] = inFewBytes(JSON.stringify(message[name]));
  const cut = unreadable?.includes('headers') === true;
  if (headers) row.more.headers = inFewBytes(HeaderTexts.add(row.more.headers, names, headers, cut));
  const others = unreadable?.filter((member) => member !== 'headers') ?? [];
  if (others.length > 0) row.more.unreadable = [...new Set([...(row.more.unreadable ?? []), ...others])];
}

/** The letter in front says the source. */
function previewJson(preview: string): string {
  const source = preview.startsWith('s') ? '"server"' : preview.startsWith('b') ? '"broker"' : 'null';
  return `"preview":${preview.slice(1)},"previewSource":${source}`;
}

function fieldJson(row: Row | undefined, field: 'envelope' | 'size' | 'internalDate' | 'hasAttachment'): string {
  if (field === 'envelope') return wholeEnvelope(row?.envelope ?? '');
  // A date of RFC 3339 needs no escape in JSON.
  return field === 'internalDate' ? `"${row?.internalDate}"` : String(row?.[field]);
}

function rowBytes({ envelope, preview, internalDate, more }: Row): number {
  let bytes = ROW_BYTES;
  for (const text of [envelope, preview, internalDate]) if (text !== undefined) bytes += bytesOfString(text);
  if (!more) return bytes;
  bytes += MORE_BYTES + (more.unreadable ? 32 + 8 * more.unreadable.length : 0);
  for (const text of [more.attachments, more.structure, more.emailId, more.threadId, more.headers])
    if (text !== undefined) bytes += bytesOfString(text);
  return bytes;
}
