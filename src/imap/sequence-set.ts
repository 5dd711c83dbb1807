/** Octets of one command line that hold everywhere; RFC 7162 section 4 advises 8192 for all of it. */
const LINE_BYTES = 7000;

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

/** The uids of a sequence set without `*`, in its order; at most so many, for a server may write 1:4294967295. */
export function uidsOf(set: string, most = 1_000_000): number[] {
  const uids: number[] = [];
  for (const range of set.split(',')) {
    const [from = Number.NaN, to = from] = range.split(':').map(Number);
    if (!Number.isSafeInteger(from) || !Number.isSafeInteger(to)) continue;
    const step = from <= to ? 1 : -1;
    for (let uid = from; uids.length < most; uid += step) {
      uids.push(uid);
      if (uid === to) break;
    }
  }
  return uids;
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
