import type { ListField, MessageSummary } from '../protocol/rows.js';
import { shortEnvelope, wholeEnvelope } from './envelope-text.js';
import { bytesOfString, inFewBytes } from './string-bytes.js';

/** The immutable fields of a message, ready to be sent: a page is put together without building objects. */
class Row {
  /** As JSON, shortened. */
  envelope: string | undefined;
  size: number | undefined;
  internalDate: string | undefined;
  hasAttachment: boolean | undefined;
  /** As JSON. */
  preview: string | undefined;
  /** Fields that could not be read, or only in part. */
  unreadable: readonly ListField[] | undefined;
}

/** Bytes of a row besides its strings: the object, and its entry in the map. */
const ROW_BYTES = 112;

/** The immutable fields of a folder's index rows, by uid. */
export class Rows {
  readonly #rows = new Map<number, Row>();
  #bytes = 0;

  /** Bytes in the heap; the sizes were measured: see the test. */
  get bytes(): number {
    return this.#bytes;
  }

  get size(): number {
    return this.#rows.size;
  }

  /** Whether all immutable ones of the fields are there. */
  has(uid: number, fields: readonly ListField[]): boolean {
    const row = this.#rows.get(uid);
    if (!row) return fields.every((field) => field === 'flags');
    return fields.every((field) => field === 'flags' || row[field] !== undefined);
  }

  add(message: MessageSummary): void {
    const { uid, envelope, size, internalDate, hasAttachment, preview, unreadable } = message;
    const known = this.#rows.get(uid);
    const row = known ?? new Row();
    if (known) this.#bytes -= rowBytes(known);
    if (envelope) row.envelope = inFewBytes(shortEnvelope(envelope));
    if (size !== undefined) row.size = size;
    if (internalDate !== undefined) row.internalDate = internalDate;
    if (hasAttachment !== undefined) row.hasAttachment = hasAttachment;
    if (preview !== undefined) row.preview = inFewBytes(JSON.stringify(preview));
    if (unreadable) row.unreadable = [...new Set([...(row.unreadable ?? []), ...unreadable])];
    this.#rows.set(uid, row);
    this.#bytes += rowBytes(row);
  }

  remove(uid: number): void {
    const row = this.#rows.get(uid);
    if (!row) return;
    this.#bytes -= rowBytes(row);
    this.#rows.delete(uid);
  }

  clear(): void {
    this.#rows.clear();
    this.#bytes = 0;
  }

  /** Removes the rows of the oldest messages until at most `most` are left. */
  keep(most: number): void {
    const surplus = this.#rows.size - most;
    if (surplus <= 0) return;
    for (const uid of [...this.#rows.keys()].sort((a, b) => a - b).slice(0, surplus)) this.remove(uid);
  }

  /** A row of an answer as JSON; all of the fields must be there. */
  json(uid: number, fields: readonly ListField[], flags: string): string {
    const row = this.#rows.get(uid);
    let json = `{"uid":${uid}`;
    for (const field of fields) json += `,"${field}":${field === 'flags' ? flags : fieldJson(row, field)}`;
    const unreadable = row?.unreadable?.filter((field) => fields.includes(field)) ?? [];
    return unreadable.length === 0 ? `${json}}` : `${json},"unreadable":${JSON.stringify(unreadable)}}`;
  }
}

function fieldJson(row: Row | undefined, field: Exclude<ListField, 'flags'>): string {
  if (field === 'envelope') return wholeEnvelope(row?.envelope ?? '');
  // A date of RFC 3339 needs no escape in JSON.
  return field === 'internalDate' ? `"${row?.internalDate}"` : String(row?.[field]);
}

function rowBytes({ envelope, preview, internalDate }: Row): number {
  let bytes = ROW_BYTES;
  for (const text of [envelope, preview, internalDate]) if (text !== undefined) bytes += bytesOfString(text);
  return bytes;
}
