import type { ListField, MessageSummary } from '../protocol/models.js';

/** What never changes of a message, ready to be sent: a page is put together without building objects. */
interface Row {
  /** As JSON. */
  envelope?: string;
  size?: number;
  internalDate?: string;
  hasAttachment?: boolean;
  /** As JSON. */
  preview?: string;
}

/** Bytes of a row beside its strings: the object, its place in the map, the heads of the strings. */
const ROW_BYTES = 190;

/** The immutable halves of a folder's index rows, by uid. */
export class Rows {
  readonly #rows = new Map<number, Row>();
  #bytes = 0;

  /** Bytes in the heap, as measured: see the test. */
  get bytes(): number {
    return this.#bytes;
  }

  get size(): number {
    return this.#rows.size;
  }

  /** Whether all of the fields that never change are there. */
  has(uid: number, fields: readonly ListField[]): boolean {
    const row = this.#rows.get(uid);
    if (!row) return fields.every((field) => field === 'flags');
    return fields.every((field) => field === 'flags' || row[field] !== undefined);
  }

  add(message: MessageSummary): void {
    const { uid, envelope, size, internalDate, hasAttachment, preview } = message;
    const known = this.#rows.get(uid);
    const row: Row = known ?? {};
    if (known) this.#bytes -= bytesOf(known);
    if (envelope) row.envelope = JSON.stringify(envelope);
    if (size !== undefined) row.size = size;
    if (internalDate !== undefined) row.internalDate = internalDate;
    if (hasAttachment !== undefined) row.hasAttachment = hasAttachment;
    if (preview !== undefined) row.preview = JSON.stringify(preview);
    this.#rows.set(uid, row);
    this.#bytes += bytesOf(row);
  }

  remove(uid: number): void {
    const row = this.#rows.get(uid);
    if (!row) return;
    this.#bytes -= bytesOf(row);
    this.#rows.delete(uid);
  }

  clear(): void {
    this.#rows.clear();
    this.#bytes = 0;
  }

  /** Leaves out the oldest messages until at most so many are there. */
  keep(most: number): void {
    const surplus = this.#rows.size - most;
    if (surplus <= 0) return;
    for (const uid of [...this.#rows.keys()].sort((a, b) => a - b).slice(0, surplus)) this.remove(uid);
  }

  /** A row of an answer as JSON; only for fields that are there. */
  json(uid: number, fields: readonly ListField[], flags: string): string {
    const row = this.#rows.get(uid);
    let json = `{"uid":${uid}`;
    for (const field of fields) json += `,"${field}":${field === 'flags' ? flags : jsonOf(row, field)}`;
    return `${json}}`;
  }
}

function jsonOf(row: Row | undefined, field: Exclude<ListField, 'flags'>): string {
  // RFC 3339 needs no escape in JSON.
  return field === 'internalDate' ? `"${row?.internalDate}"` : String(row?.[field]);
}

function bytesOf({ envelope = '', preview = '', internalDate = '' }: Row): number {
  return ROW_BYTES + bytesOfString(envelope) + bytesOfString(preview) + bytesOfString(internalDate);
}

/** Bytes of a string's characters in V8: one each, or two when any is beyond Latin-1. */
export function bytesOfString(text: string): number {
  for (let index = 0; index < text.length; index += 1) if (text.charCodeAt(index) > 0xff) return text.length * 2;
  return text.length;
}
