import { type Field, headersOf, type ListField, type MessageSummary } from '../protocol/rows.js';

/** Most header names that the sockets of an account may want in rows at once. */
export const MOST_HEADERS = 100;

/** Members of rows that were asked for, as a set. */
export class RowFields {
  readonly #names: ReadonlySet<ListField>;
  /** As they are spelled, by the name in lower case. */
  readonly #headers: ReadonlyMap<string, string>;
  /** The same text for the same members, in any order. */
  readonly key: string;

  constructor(fields: readonly Field[]) {
    this.#names = new Set(fields.filter((field) => typeof field === 'string'));
    this.#headers = new Map(headersOf(fields).map((name) => [name.toLowerCase(), name]));
    this.key = JSON.stringify([[...this.#names].sort(), [...this.#headers.keys()].sort()]);
  }

  /** How many header names are asked for. */
  get headers(): number {
    return this.#headers.size;
  }

  /** The members, as a request asks for them. */
  get list(): Field[] {
    return [...this.#names, ...(this.#headers.size > 0 ? [{ headers: [...this.#headers.values()] }] : [])];
  }

  /** Whether each member of the other set is in this one. */
  covers(other: RowFields): boolean {
    return [...other.#names].every((name) => this.#names.has(name)) && isWithin(other.#headers, this.#headers);
  }

  /** The members of both. */
  with(other: RowFields): RowFields {
    return other.key === this.key ? this : new RowFields([...this.list, ...other.list]);
  }

  /** Those members of a row that are in this set, which has no others. */
  of(row: MessageSummary): MessageSummary {
    const all = row as Record<string, unknown>;
    const members = Object.fromEntries([...this.#names].flatMap((name) => (name in row ? [[name, all[name]]] : [])));
    const source =
      this.#names.has('preview') && row.previewSource !== undefined ? { previewSource: row.previewSource } : {};
    const headers = this.#headers.size > 0 ? { headers: this.#linesOf(row) } : {};
    const unreadable = row.unreadable?.filter((name) =>
      name === 'headers' ? this.#headers.size > 0 : this.#names.has(name),
    );
    return { uid: row.uid, ...members, ...source, ...headers, ...(unreadable?.length ? { unreadable } : {}) };
  }

  /** Header lines in the order and spelling of this set. */
  #linesOf({ headers = [] }: MessageSummary): { name: string; value: string }[] {
    return [...this.#headers].flatMap(([key, name]) =>
      headers.filter((line) => line.name.toLowerCase() === key).map(({ value }) => ({ name, value })),
    );
  }
}

function isWithin(names: ReadonlyMap<string, string>, others: ReadonlyMap<string, string>): boolean {
  for (const name of names.keys()) if (!others.has(name)) return false;
  return true;
}
