/** Octets of a set that every server accepts in a command line; RFC 7162 section 4 advises 8192 for the whole line. */
const LINE_BYTES = 7000;
const MOST_UID = 4_294_967_295;

const [COMMA, COLON, ZERO, NINE] = [0x2c, 0x3a, 0x30, 0x39];

/**
 * Writes uids as sequence sets (RFC 9051 section 9), each short enough for one command line. A range stands only for
 * uids that were given: 1:3 means 1, 2 and 3.
 */
export function sequenceSets(uids: readonly number[]): string[] {
  const sets: string[] = [];
  let set = '';
  for (const range of ranges(uids)) {
    if (set.length + range.length + 1 > LINE_BYTES) {
      sets.push(set);
      set = '';
    }
    set += set === '' ? range : `,${range}`;
  }
  if (set !== '') sets.push(set);
  return sets;
}

/** The uids of a sequence set without `*`, in its order; at most `most`, because a server may write 1:4294967295. */
export function uidsOf(set: string, most = 4_000_000): number[] {
  const uids: number[] = [];
  forEachRange(set, (from, to) => {
    const step = from <= to ? 1 : -1;
    for (let uid = from; uids.length < most; uid += step) {
      uids.push(uid);
      if (uid === to) break;
    }
    return uids.length < most;
  });
  return uids;
}

/**
 * How many uids a sequence set without `*` stands for; the set is not expanded. Counting stops when the result is
 * greater than `most`.
 */
export function countOf(set: string, most: number): number {
  let count = 0;
  forEachRange(set, (from, to) => {
    count += Math.abs(to - from) + 1;
    return count <= most;
  });
  return count;
}

/**
 * Calls `take` for each range of a sequence set without `*`, in its order, until it returns false. Parts that are not
 * 32-bit numbers are skipped. Reads character by character: splitting a set of 10 MB into millions of parts would block
 * the event loop.
 */
export function forEachRange(set: string, take: (from: number, to: number) => boolean): void {
  let first: number | undefined;
  let number = 0;
  for (let at = 0; at <= set.length; at += 1) {
    const code = set.charCodeAt(at);
    if (code >= ZERO && code <= NINE) {
      number = number * 10 + code - ZERO;
    } else if (code === COMMA || at === set.length) {
      const from = first ?? number;
      const valid = from >= 1 && from <= MOST_UID && number >= 1 && number <= MOST_UID;
      if (valid && !take(from, number)) return;
      first = undefined;
      number = 0;
    } else if (code === COLON && first === undefined) {
      first = number;
      number = 0;
    } else {
      number = Number.NaN;
    }
  }
}

function* ranges(uids: readonly number[]): Generator<string> {
  const sorted = [...new Set(uids)].sort((a, b) => a - b);
  for (let index = 0; index < sorted.length; ) {
    const first = sorted[index] ?? 0;
    let last = first;
    index += 1;
    while (sorted[index] === last + 1) {
      last += 1;
      index += 1;
    }
    yield first === last ? `${first}` : `${first}:${last}`;
  }
}
