import type { Criteria } from '../../../protocol/criteria.js';
import { sequenceSets } from '../../wire/sequence-set.js';
import { atom, type ImapArgument } from '../../wire/tokens.js';
import { breathe } from '../../wire/turn-budget.js';
import { invalid } from './bounds.js';
import { anyOf, uidSet } from './keys.js';

/** Octets of a set in one key, as in sequence-set.ts. */
const SET_BYTES = 7000;
/** Ranges that always fit into that. */
const MOST_RANGES = 300;
/** Hits after which a turn may end. */
const PACE = 10_000;

/** A range of uids, both ends included; the end of an open one is infinite. */
interface Range {
  from: number;
  to: number;
}

/**
 * The keys of `uids`, `uidRanges` and `uidAfter`.
 * @param wide whether a set that is longer than a command line should be is written as one range around it
 * @throws BrokerError INVALID_PARAMS for a range that ends below its start
 */
export function* uidKeys(
  { uids, uidRanges, uidAfter }: Criteria,
  path: string,
  wide: boolean,
): Generator<ImapArgument> {
  if (uids) {
    const sets = sequenceSets(uids);
    yield* anyOf((wide && sets.length > 1 ? [around(uids)] : sets).map(uidSet));
  }
  if (uidRanges) {
    const ranges = merged(uidRanges, path);
    const keys = rangeKeys(ranges);
    const [first, last] = [ranges[0], ranges.at(-1)];
    const isLong = wide && ranges.length > MOST_RANGES && first && last;
    if (!isLong) yield* keys;
    else yield* last.to === Number.POSITIVE_INFINITY ? openRange(first.from) : uidSet(`${first.from}:${last.to}`);
  }
  if (uidAfter !== undefined) yield* openRange(uidAfter + 1);
}

function around(uids: readonly number[]): string {
  let [least, most] = [Number.POSITIVE_INFINITY, 0];
  for (const uid of uids) {
    least = Math.min(least, uid);
    most = Math.max(most, uid);
  }
  return `${least}:${most}`;
}

/** The ranges in ascending order, those that touch joined to one. */
function merged(ranges: NonNullable<Criteria['uidRanges']>, path: string): Range[] {
  const whole = ranges.map(({ from, to = Number.POSITIVE_INFINITY }, index) => {
    if (to < from) throw invalid(`${path}.uidRanges.${index}.to`, 'below from.');
    return { from, to };
  });
  const joined: Range[] = [];
  for (const range of whole.sort((a, b) => a.from - b.from)) {
    const last = joined.at(-1);
    if (last && range.from <= last.to + 1) last.to = Math.max(last.to, range.to);
    else joined.push(range);
  }
  return joined;
}

function rangeKeys(ranges: readonly Range[]): ImapArgument[] {
  const groups: ImapArgument[] = [];
  let set = '';
  const closeSet = () => {
    if (set !== '') groups.push(uidSet(set));
    set = '';
  };
  for (const { from, to } of ranges) {
    if (to === Number.POSITIVE_INFINITY) {
      closeSet();
      groups.push(openRange(from));
      continue;
    }
    if (set.length > SET_BYTES) closeSet();
    const range = from === to ? `${from}` : `${from}:${to}`;
    set += set === '' ? range : `,${range}`;
  }
  closeSet();
  return anyOf(groups);
}

/**
 * All uids from this one on. `n:*` alone has the last message even if its uid is below n (RFC 9051 section 9, seq-range),
 * which another key takes out: so it also holds within OR and NOT.
 */
function openRange(from: number): ImapArgument[] {
  const rest = from > 1 ? [atom('NOT'), ...uidSet(`1:${from - 1}`)] : [];
  return [...uidSet(`${from}:*`), ...rest];
}

/**
 * The hits that are among the uids asked for: a server may answer others, out of a fault or on purpose. Looks at what
 * must hold in any case, not into `or` and `not`.
 */
export async function askedFor(criteria: Criteria, hits: number[]): Promise<number[]> {
  const tests = [...uidTests(criteria)];
  if (tests.length === 0) return hits;
  const asked: number[] = [];
  for (let from = 0; from < hits.length; from += PACE) {
    for (const uid of hits.slice(from, from + PACE)) if (tests.every((test) => test(uid))) asked.push(uid);
    await breathe();
  }
  return asked;
}

function* uidTests({ uids, uidRanges, uidAfter, and = [] }: Criteria): Generator<(uid: number) => boolean> {
  if (uids) {
    const set = new Set(uids);
    yield (uid) => set.has(uid);
  }
  if (uidRanges) {
    const ranges = merged(uidRanges, '');
    yield (uid) => isIn(ranges, uid);
  }
  if (uidAfter !== undefined) yield (uid) => uid > uidAfter;
  for (const inner of and) yield* uidTests(inner);
}

function isIn(ranges: readonly Range[], uid: number): boolean {
  let [low, high] = [0, ranges.length - 1];
  while (low <= high) {
    const middle = (low + high) >> 1;
    const { from, to } = ranges[middle] as Range;
    if (uid < from) high = middle - 1;
    else if (uid > to) low = middle + 1;
    else return true;
  }
  return false;
}
