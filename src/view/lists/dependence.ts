import type { Criteria } from '../../protocol/criteria.js';

/**
 * What the hits of a filter follow from: `messages` alone, which never change while they are there; their `flags` too;
 * or something that changes without news, such as the `time` of day, so that each list needs a search of its own.
 */
export type Dependence = 'messages' | 'flags' | 'time';

/** Criteria of what never changes in a message. */
const fixed = new Set([
  ...['text', 'body', 'subject', 'from', 'to', 'cc', 'bcc', 'header', 'largerThan', 'smallerThan', 'uids'],
  ...['receivedSince', 'receivedBefore', 'receivedOn', 'sentSince', 'sentBefore', 'sentOn', 'uidAfter', 'uidRanges'],
  ...['savedSince', 'savedBefore', 'savedOn', 'emailId'],
]);

const byFlag = {
  seen: '\\Seen',
  answered: '\\Answered',
  flagged: '\\Flagged',
  deleted: '\\Deleted',
  draft: '\\Draft',
} as const;
const ofFlags = new Set([...Object.keys(byFlag), 'keyword', 'notKeyword', 'modseqSince']);

const groups: ReadonlySet<string> = new Set(['and', 'or', 'not', 'fuzzy']);

/** Groups of criteria. */
function groupsOf({ and = [], or = [], not, fuzzy }: Criteria): Criteria[] {
  return [...and, ...or, ...(not ? [not] : []), ...(fuzzy ? [fuzzy] : [])];
}

/** The criteria of one group that are set, without the groups in it. */
function leavesOf(criteria: Criteria): string[] {
  const set = Object.entries(criteria).filter(([, value]) => value !== undefined);
  return set.map(([name]) => name).filter((name) => !groups.has(name));
}

export function isEverything(filter: Criteria | undefined): boolean {
  return filter === undefined || (leavesOf(filter).length === 0 && groupsOf(filter).length === 0);
}

export function dependenceOf(filter: Criteria | undefined): Dependence {
  if (filter === undefined) return 'messages';
  const leaves = leavesOf(filter);
  const all = groupsOf(filter).map(dependenceOf);
  if (all.includes('time') || !leaves.every((name) => fixed.has(name) || ofFlags.has(name))) return 'time';
  return all.includes('flags') || leaves.some((name) => ofFlags.has(name)) ? 'flags' : 'messages';
}

/**
 * Whether a hit, with the flags that it has now, is a hit for certain, as far as its flags go. False also where that
 * cannot be told from its flags alone.
 * @param json the flags as JSON
 */
export function staysHit(filter: Criteria | undefined, json: string): boolean {
  if (filter === undefined || dependenceOf(filter) === 'messages') return true;
  if (groupsOf(filter).some((inner) => dependenceOf(inner) !== 'messages')) return false;
  const flags = new Set((JSON.parse(json) as string[]).map((flag) => flag.toLowerCase()));
  return leavesOf(filter).every((name) => {
    const flag = byFlag[name as keyof typeof byFlag];
    if (flag !== undefined) return flags.has(flag.toLowerCase()) === filter[name as keyof typeof byFlag];
    if (name === 'keyword') return flags.has((filter.keyword ?? '').toLowerCase());
    if (name === 'notKeyword') return !flags.has((filter.notKeyword ?? '').toLowerCase());
    return fixed.has(name);
  });
}
