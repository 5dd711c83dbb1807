import type { Sort } from '../../../protocol/criteria.js';
import { protocolLimits } from '../../../protocol/limits.js';
import type { SortKey } from '../../mime/sort-key.js';

/** Most messages of a folder whose keys are kept, for each kind of key. */
export const MOST_KEYS = protocolLimits.sortedMessages;

/** Bytes of a key that is a number, with its uid. */
const NUMBER_BYTES = 12;
/** Bytes of a key that is a text, with its uid and its place, but without its characters. */
const TEXT_BYTES = 32;

/** Keys of one kind, by ascending uid. */
interface Column {
  uids: Uint32Array;
  values: Float64Array | string[];
  bytes: number;
}

/** A message with the key of one kind. */
export interface Keyed {
  uid: number;
  key: SortKey;
}

/** What the broker sorts by is fetched once: the keys of a message never change. */
export class SortKeys {
  readonly #columns = new Map<Sort['by'], Column>();

  /** Bytes in the heap. */
  get bytes(): number {
    let bytes = 0;
    for (const column of this.#columns.values()) bytes += column.bytes;
    return bytes;
  }

  /** Which of the uids, ascending, have no key of this kind yet. */
  lacking(by: Sort['by'], uids: readonly number[]): number[] {
    const column = this.#columns.get(by);
    if (!column) return [...uids];
    const lacking: number[] = [];
    let at = 0;
    for (const uid of uids) {
      while (at < column.uids.length && (column.uids[at] ?? 0) < uid) at += 1;
      if (column.uids[at] !== uid) lacking.push(uid);
    }
    return lacking;
  }

  /**
   * Adds keys of messages that have none of this kind.
   * @param needed the uids, ascending, that stay where there are too many
   */
  add(by: Sort['by'], keyed: readonly Keyed[], needed: readonly number[]): void {
    if (keyed.length === 0) return;
    const merged = mergedOf(
      this.#columns.get(by) ?? emptyOf(keyed),
      keyed.toSorted((a, b) => a.uid - b.uid),
    );
    this.#columns.set(by, merged.uids.length > MOST_KEYS ? only(merged, needed) : merged);
  }

  /** The keys of the uids, ascending, at the same places; undefined for messages that have none. */
  of(by: Sort['by'], uids: readonly number[]): (SortKey | undefined)[] {
    const column = this.#columns.get(by);
    let at = 0;
    return uids.map((uid) => {
      if (!column) return undefined;
      while (at < column.uids.length && (column.uids[at] ?? 0) < uid) at += 1;
      return column.uids[at] === uid ? column.values[at] : undefined;
    });
  }
}

function emptyOf([first]: readonly Keyed[]): Column {
  return { uids: new Uint32Array(), values: typeof first?.key === 'string' ? [] : new Float64Array(), bytes: 0 };
}

/** Both together; no object is made for a key, because there may be two hundred thousand. */
function mergedOf(known: Column, fresh: readonly Keyed[]): Column {
  const most = known.uids.length + fresh.length;
  const uids = new Uint32Array(most);
  const values = Array.isArray(known.values) ? new Array<string>(most) : new Float64Array(most);
  let { bytes } = known;
  let length = 0;
  const put = (uid: number, key: SortKey) => {
    uids[length] = uid;
    if (Array.isArray(values)) values[length] = String(key);
    else values[length] = Number(key);
    length += 1;
  };
  let at = 0;
  const takeKnown = (below: number) => {
    for (let uid = known.uids[at]; uid !== undefined && uid < below; uid = known.uids[at]) {
      put(uid, known.values[at] ?? 0);
      at += 1;
    }
  };
  for (const { uid, key } of fresh) {
    takeKnown(uid);
    if (known.uids[at] === uid || (length > 0 && uids[length - 1] === uid)) continue;
    put(uid, key);
    bytes += bytesOf(key);
  }
  takeKnown(Number.POSITIVE_INFINITY);
  return { uids: uids.slice(0, length), values: values.slice(0, length), bytes };
}

function only({ uids, values }: Column, needed: readonly number[]): Column {
  const wanted = new Set(needed);
  const kept: Keyed[] = [];
  for (const [at, uid] of uids.entries()) if (wanted.has(uid)) kept.push({ uid, key: values[at] ?? 0 });
  return mergedOf(emptyOf(kept), kept.slice(-MOST_KEYS));
}

function bytesOf(key: SortKey): number {
  if (typeof key === 'number') return NUMBER_BYTES;
  // Text has one byte a character in the heap, unless one of its characters needs two.
  return TEXT_BYTES + (/[^\0-\xff]/.test(key) ? 2 : 1) * key.length;
}
