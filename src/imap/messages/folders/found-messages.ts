import { randomBytes } from 'node:crypto';
import type { Sort } from '../../../protocol/criteria.js';
import type { SortKey } from '../../mime/sort-key.js';
import { breathe } from '../../wire/turn-budget.js';

/** The hits of one folder, in the order of the search. */
export interface Run {
  mailbox: string;
  uidValidity: number;
  uids: Uint32Array;
  /** For each key of the order, the values of the first hits: those that are known. They never change. */
  columns: SortKey[][];
  /** Which state of the folder the hits are of; undefined where flags may change without the state showing it. */
  stamp: string | undefined;
}

/** A place in the merged order. */
export interface Place {
  run: Run;
  uid: number;
  /** Where the hit stood in its run when the place was taken. */
  at: number;
}

/** What a cursor knows of the last message of its page. */
export interface LastPlace {
  keys: SortKey[] | undefined;
  /** Index of its folder; -1 where the folder is none of the search any more. */
  folder: number;
  uidValidity: number;
  uid: number;
}

/** Places that are merged before others get their turn. */
const STEP = 2_000;
/** Bytes of a run besides its hits and its name. */
const RUN_BYTES = 300;

/** What a search over folders found: the hits of each folder, and one order of all, merged as far as was asked for. */
export class FoundMessages {
  /** Names this very order: another search, though of the same question, has another id. */
  readonly id = randomBytes(6).toString('base64url');
  /** `Date.now()` when the search began, or when the folders were found unchanged since. */
  asOf: number;
  readonly sort: readonly Sort[];
  /** By the names of the folders; folders without a hit too. */
  readonly runs: readonly Run[];
  /** Folders that were left out. */
  readonly incomplete: readonly string[];
  /** Indexes of the runs that the places are taken from; the second place of a run has the run's second hit. */
  readonly #picks: number[] = [];
  /** Hits of each run that have a place. */
  readonly #taken: Uint32Array;

  constructor(asOf: number, sort: readonly Sort[], runs: readonly Run[], incomplete: readonly string[]) {
    this.asOf = asOf;
    this.sort = sort;
    this.runs = [...runs].sort((a, b) => (a.mailbox < b.mailbox ? -1 : 1));
    this.incomplete = incomplete;
    this.#taken = new Uint32Array(this.runs.length);
  }

  get total(): number {
    return this.runs.reduce((sum, { uids }) => sum + uids.length, 0);
  }

  /** Bytes of memory. */
  get bytes(): number {
    let bytes = RUN_BYTES + this.#picks.length * 8;
    for (const { mailbox, uids, columns } of this.runs) {
      bytes += RUN_BYTES + mailbox.length * 2 + uids.byteLength;
      for (const column of columns) bytes += bytesOf(column);
    }
    return bytes;
  }

  /**
   * Merges up to so many places.
   * @returns the runs whose next keys have to be known first; none when all is merged
   */
  async extend(to: number): Promise<Run[]> {
    const end = Math.min(to, this.total);
    while (this.#picks.length < end) {
      const wanting = this.#mergeSome(Math.min(end, this.#picks.length + STEP));
      if (wanting.length > 0) return wanting;
      await breathe();
    }
    return [];
  }

  #mergeSome(to: number): Run[] {
    const open = this.runs.flatMap(({ uids }, index) => (this.#takenOf(index) < uids.length ? [index] : []));
    // The hits of a single folder are in their order, whatever the keys.
    if (open.length === 1) {
      while (this.#picks.length < to) this.#pick(open[0] ?? 0);
      return [];
    }
    const wanting = open.filter((index) => !this.#isKnown(index));
    if (wanting.length > 0) return wanting.map((index) => this.runs[index] as Run);
    const heap = new Heap((a, b) => this.#isBefore(a, b), open);
    while (this.#picks.length < to) {
      const first = heap.first;
      if (first === undefined) break;
      this.#pick(first);
      if (this.#takenOf(first) >= (this.runs[first]?.uids.length ?? 0)) heap.drop();
      else if (this.#isKnown(first)) heap.sink();
      else return heap.size > 1 ? [this.runs[first] as Run] : this.#mergeSome(to);
    }
    return [];
  }

  #pick(index: number): void {
    this.#picks.push(index);
    this.#taken[index] = this.#takenOf(index) + 1;
  }

  #takenOf(index: number): number {
    return this.#taken[index] ?? 0;
  }

  #isKnown(index: number): boolean {
    return this.#takenOf(index) < (this.runs[index]?.columns[0]?.length ?? 0);
  }

  /** Whether the next hit of one run is before the next of another. */
  #isBefore(a: number, b: number): boolean {
    const [one, other] = [this.runs[a], this.runs[b]];
    for (const [index, { descending }] of this.sort.entries()) {
      const order = compareKeys(one?.columns[index]?.[this.#takenOf(a)], other?.columns[index]?.[this.#takenOf(b)]);
      if (order !== 0) return descending ? order > 0 : order < 0;
    }
    return a < b;
  }

  /** The places `from` to `to`, as far as they are merged. */
  async places(from: number, to: number): Promise<Place[]> {
    const taken = new Uint32Array(this.runs.length);
    const places: Place[] = [];
    const end = Math.min(to, this.#picks.length);
    for (let at = 0; at < end; at += 1) {
      const index = this.#picks[at] ?? 0;
      const hit = taken[index] ?? 0;
      taken[index] = hit + 1;
      const run = this.runs[index];
      // A hit may have left its run.
      const uid = run?.uids[hit];
      if (at >= from && run && uid !== undefined) places.push({ run, uid, at: hit });
      if (at % STEP === STEP - 1) await breathe();
    }
    return places;
  }

  /** The sort keys of a place, where they are known. */
  keysOf({ run, uid, at: stood }: Place): SortKey[] | undefined {
    // Hits before it may have left the run; to look through 200,000 of them for each place takes long.
    const at = run.uids[stood] === uid ? stood : run.uids.indexOf(uid);
    if (at < 0 || at >= (run.columns[0]?.length ?? 0)) return undefined;
    return run.columns.map((column) => column[at] ?? 0);
  }

  /**
   * Whether a place is behind the last message of an earlier page: that message itself is not.
   * @param cut shortens keys as those of the last message were shortened
   */
  isBehind(place: Place, last: LastPlace, cut: (key: SortKey) => SortKey): boolean {
    const folder = this.runs.indexOf(place.run);
    const keys = this.keysOf(place);
    if (keys && last.keys) {
      for (const [index, { descending }] of this.sort.entries()) {
        const order = compareKeys(cut(keys[index] ?? 0), last.keys[index]);
        if (order !== 0) return descending ? order < 0 : order > 0;
      }
    }
    if (folder !== last.folder) return folder > last.folder;
    return place.uid > last.uid;
  }
}

/** Order of two keys: negative, 0 or positive. */
export function compareKeys(a: SortKey | undefined, b: SortKey | undefined): number {
  if (a === b || a === undefined || b === undefined) return 0;
  return a < b ? -1 : 1;
}

function bytesOf(column: readonly SortKey[]): number {
  if (typeof column[0] !== 'string') return column.length * 8;
  return column.reduce<number>((sum, key) => sum + 32 + String(key).length * 2, 0);
}

/** The indexes of runs, the one whose next hit is first on top. */
class Heap {
  readonly #isBefore: (a: number, b: number) => boolean;
  readonly #items: number[];

  constructor(isBefore: (a: number, b: number) => boolean, items: readonly number[]) {
    this.#isBefore = isBefore;
    this.#items = [...items];
    for (let at = this.#items.length >> 1; at >= 0; at -= 1) this.sink(at);
  }

  get first(): number | undefined {
    return this.#items[0];
  }

  get size(): number {
    return this.#items.length;
  }

  drop(): void {
    const last = this.#items.pop();
    if (last === undefined || this.#items.length === 0) return;
    this.#items[0] = last;
    this.sink();
  }

  /** The item has a later hit now. */
  sink(from = 0): void {
    const items = this.#items;
    for (let at = from; ; ) {
      let first = at;
      for (const child of [2 * at + 1, 2 * at + 2]) {
        if (child < items.length && this.#isBefore(items[child] ?? 0, items[first] ?? 0)) first = child;
      }
      if (first === at) return;
      [items[at], items[first]] = [items[first] ?? 0, items[at] ?? 0];
      at = first;
    }
  }
}
