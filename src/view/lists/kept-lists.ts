import { SortKeys } from '../../imap/messages/search/sort-keys.js';
import type { Criteria, Sort } from '../../protocol/criteria.js';
import { type Dependence, dependenceOf, isEverything } from './dependence.js';

/** Lists of a folder that are kept; the one that was not used for the longest time is dropped first. */
const MOST_LISTS = 4;
/** Bytes of a list besides its uids and its name. */
const LIST_BYTES = 250;
const UID_BYTES = 4;
/** Bytes of all of it while it is empty. */
const EMPTY_BYTES = 700;

/** Which messages of a folder, in which order: without `sort` newest uid first. */
export interface Listing {
  filter: Criteria | undefined;
  sort: readonly Sort[] | undefined;
}

/** What a folder's changes are counted by: see `MailboxView`. */
export interface Changing {
  readonly stamp: number;
  readonly arrangement: number;
}

/** The messages that a search has found, in their order. */
export class KeptList {
  readonly uids: Uint32Array;
  readonly filter: Criteria | undefined;
  readonly depends: Dependence;
  readonly #arrangement: number;
  #stamp: number;

  /** @param when what the view's counts were before the search */
  constructor({ filter }: Listing, uids: Iterable<number>, { stamp, arrangement }: Changing) {
    this.uids = Uint32Array.from(uids);
    this.filter = filter;
    this.depends = dependenceOf(filter);
    this.#stamp = stamp;
    this.#arrangement = arrangement;
  }

  /** Whether a search would find the same: nothing has changed since then that could make a difference. */
  isTrueOf(view: Changing): boolean {
    if (this.depends === 'time') return false;
    return this.#stamp === view.stamp || (this.depends === 'messages' && this.#arrangement === view.arrangement);
  }

  /** Whether nothing was heard of the folder since the search. */
  isOfNow(view: Changing): boolean {
    return this.#stamp === view.stamp || this.isTrueOf(view);
  }

  /** What was heard since then is known to make no difference. */
  confirm({ stamp, arrangement }: Changing): void {
    if (this.#arrangement === arrangement) this.#stamp = stamp;
  }
}

/** Names a listing; equal ones have the same name. */
export function nameOf({ filter, sort }: Listing): string {
  return JSON.stringify([isEverything(filter) ? null : filter, sort?.map(({ by, descending }) => [by, descending])]);
}

/** The last lists of a folder, and what the broker has sorted by. */
export class KeptLists {
  readonly keys = new SortKeys();
  /** By name, the last used one last. */
  readonly #lists = new Map<string, KeptList>();
  /** Hits that were only counted, by the name of the filter. */
  readonly #counts = new Map<string, { hits: number; stamp: number }>();

  get bytes(): number {
    let bytes = EMPTY_BYTES + this.keys.bytes;
    for (const [name, { uids }] of this.#lists) bytes += LIST_BYTES + 2 * name.length + uids.length * UID_BYTES;
    for (const name of this.#counts.keys()) bytes += LIST_BYTES + 2 * name.length;
    return bytes;
  }

  /** A list that may not be true any more. */
  find(listing: Listing): KeptList | undefined {
    return this.#lists.get(nameOf(listing));
  }

  /** All that a filter finds, in some order, from a list of any order that is true. */
  foundBy(filter: Criteria | undefined, view: Changing): Uint32Array | undefined {
    const name = nameOf({ filter, sort: undefined });
    for (const list of this.#lists.values()) {
      if (nameOf({ filter: list.filter, sort: undefined }) === name && list.isTrueOf(view)) return list.uids;
    }
    return undefined;
  }

  keep(listing: Listing, list: KeptList): void {
    putLast(this.#lists, nameOf(listing), list);
  }

  /** A list was used again. */
  touch(listing: Listing): void {
    const list = this.find(listing);
    if (list) this.keep(listing, list);
  }

  /** How many messages a filter finds, where nothing was heard of the folder since they were counted. */
  countOf(filter: Criteria | undefined, view: Changing): number | undefined {
    const found = this.foundBy(filter, view);
    if (found) return found.length;
    const count = this.#counts.get(nameOf({ filter, sort: undefined }));
    return count?.stamp === view.stamp ? count.hits : undefined;
  }

  /** @param when what the view's counts were before the search */
  keepCount(filter: Criteria | undefined, hits: number, { stamp }: Changing): void {
    if (dependenceOf(filter) !== 'time') putLast(this.#counts, nameOf({ filter, sort: undefined }), { hits, stamp });
  }
}

function putLast<V>(map: Map<string, V>, key: string, value: V): void {
  map.delete(key);
  map.set(key, value);
  const [oldest] = map.keys();
  if (map.size > MOST_LISTS && oldest !== undefined) map.delete(oldest);
}
