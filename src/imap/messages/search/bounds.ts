import type { Criteria } from '../../../protocol/criteria.js';
import { BrokerError } from '../../../protocol/errors.js';
import type { ImapArgument } from '../../wire/tokens.js';

/** The parameter that criteria come in: errors name it. */
export const FILTER = 'filter';
/** Most levels of nested groups; servers have their own bounds, and hostile criteria nest without end. */
const MAX_DEPTH = 20;
/** Most conditions in all groups together: 20 levels of 20 groups each would be more than a server can hold. */
const MAX_CONDITIONS = 200;

/** Most bytes of a search as it is sent: servers refuse a command line of more than 64 KB, or end the connection. */
const MOST_BYTES = 60_000;

/** A group of criteria, where it stands and how deep. */
export interface Group {
  criteria: Criteria;
  /** Dotted path of the parameter, for instance `filter.or.0.not`. */
  path: string;
  depth: number;
}

const groupNames: ReadonlySet<string> = new Set(['and', 'or', 'not', 'fuzzy']);

/** The error of a condition that cannot be sent; `field` is its dotted path. */
export function invalid(field: string, why: string): BrokerError {
  return new BrokerError('INVALID_PARAMS', `${field}: ${why}`, { field });
}

/** The error of a condition that the server cannot answer. */
export function unsupported(field: string, why: string): BrokerError {
  return new BrokerError('UNSUPPORTED', `${field}: ${why}`, { field });
}

/**
 * All groups of the criteria, the outermost first.
 * @throws BrokerError INVALID_PARAMS where they nest deeper than 20 levels, or have more than 200 conditions
 */
export function boundedGroups(criteria: Criteria): Group[] {
  const found: Group[] = [{ criteria, path: FILTER, depth: 0 }];
  let conditions = 0;
  for (let at = 0; at < found.length; at += 1) {
    const group = found[at] as Group;
    if (group.depth > MAX_DEPTH) throw invalid(FILTER, `nested deeper than ${MAX_DEPTH} levels.`);
    const members = Object.entries(group.criteria);
    const leaves = members.filter(([name, value]) => value !== undefined && !groupNames.has(name)).length;
    const inner = innerGroups(group);
    // An empty group is a condition as well: it finds all messages.
    conditions += leaves + inner.length === 0 ? 1 : leaves;
    found.push(...inner);
    // So many groups at most lead to as many conditions.
    if (conditions > MAX_CONDITIONS || found.length > MAX_CONDITIONS * (MAX_DEPTH + 1)) {
      throw invalid(FILTER, `more than ${MAX_CONDITIONS} conditions in all groups.`);
    }
  }
  return found;
}

function innerGroups({ criteria, path, depth }: Group): Group[] {
  const { and = [], or = [], not, fuzzy } = criteria;
  const at = (inner: Criteria, place: string): Group => ({
    criteria: inner,
    path: `${path}.${place}`,
    depth: depth + 1,
  });
  return [
    ...and.map((inner, index) => at(inner, `and.${index}`)),
    ...or.map((inner, index) => at(inner, `or.${index}`)),
    ...(not ? [at(not, 'not')] : []),
    ...(fuzzy ? [at(fuzzy, 'fuzzy')] : []),
  ];
}

/** @throws BrokerError INVALID_PARAMS where the keys of the criteria take more than 60,000 bytes in a command */
export function requireShort(keys: ImapArgument[]): ImapArgument[] {
  if (bytesIn(keys) > MOST_BYTES) {
    throw invalid(FILTER, `more than ${MOST_BYTES} bytes as an IMAP search; name fewer uids, ranges or words.`);
  }
  return keys;
}

function bytesIn(key: ImapArgument): number {
  if (Array.isArray(key)) return key.reduce<number>((sum, inner) => sum + bytesIn(inner), 2);
  if (typeof key === 'string') return key.length + 3;
  if (typeof key !== 'object') return 12;
  const value = 'mailbox' in key ? key.mailbox : (key.value ?? '');
  return (typeof value === 'number' ? 12 : value.length) + 1;
}
