/** Where a page of a list begins. */
export interface ListStart {
  /** Messages of the list before the page. */
  offset: number;
  /** The last message of the page before: the page begins behind it, wherever it is now. */
  after: number | undefined;
}

/** A part of a list. */
export interface ListSlice {
  uids: number[];
  /** Where the next page begins; undefined on the last. */
  next: ListStart | undefined;
}

/** Messages before a place that are looked for where the last message before it is gone. */
const NEIGHBOURS = 10_000;

/**
 * A page of a list.
 * @param byUid whether the list is in the order of the folder, newest uid first
 * @param before the same list as it was at an earlier time, where it is known: it tells what stood before the page
 */
export function sliceOfList(
  list: Uint32Array,
  start: ListStart,
  limit: number,
  { byUid, before }: { byUid: boolean; before: Uint32Array | undefined },
): ListSlice {
  const below = byUid ? start.after : undefined;
  const top = below === undefined ? placeOf(list, start, before) : placeBelow(list, below);
  const uids = Array.from(list.subarray(top, top + limit));
  const bottom = top + uids.length;
  const more = bottom < list.length;
  return { uids, next: more ? { offset: bottom, after: uids.at(-1) } : undefined };
}

/** How many messages of the list are before the page. */
function placeOf(list: Uint32Array, { offset, after }: ListStart, before: Uint32Array | undefined): number {
  if (after === undefined || offset === 0) return Math.min(offset, list.length);
  // Usually nothing has moved.
  if (list[offset - 1] === after) return offset;
  const at = list.indexOf(after);
  if (at >= 0) return at + 1;
  const place = before ? behindNeighbours(list, after, before) : undefined;
  return place ?? Math.min(offset - 1, list.length);
}

/** How many messages have this uid or a greater one, in a list of descending uids. */
function placeBelow(list: Uint32Array, below: number): number {
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((list[middle] ?? 0) >= below) low = middle + 1;
    else high = middle;
  }
  return low;
}

/**
 * The message is gone: the page begins behind the last message that stood before it and is still there. Undefined where
 * that cannot be told: the message was gone earlier, or so are too many before it.
 */
function behindNeighbours(list: Uint32Array, after: number, before: Uint32Array): number | undefined {
  const was = before.indexOf(after);
  if (was < 0) return undefined;
  const places = new Map<number, number>();
  for (let at = Math.max(0, was - NEIGHBOURS); at < was; at += 1) places.set(before[at] ?? 0, at);
  let place = 0;
  let nearest = -1;
  // Not by `entries()`, which makes an object for each of up to 200,000 messages.
  for (let at = 0; at < list.length; at += 1) {
    const stood = places.get(list[at] ?? 0);
    if (stood === undefined || stood < nearest) continue;
    place = at + 1;
    nearest = stood;
  }
  return place > 0 || was <= NEIGHBOURS ? place : undefined;
}
