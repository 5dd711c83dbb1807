import type { Criteria } from '../../protocol/criteria.js';
import { BrokerError } from '../../protocol/errors.js';
import type { ImapConnection } from '../connection/connection.js';
import { tooLarge } from '../wire/errors.js';
import { countOf, sequenceSets, uidsOf } from '../wire/sequence-set.js';
import { atom, type ImapArgument, literal, sequence, textOf } from '../wire/tokens.js';

const flagKeys = [
  ['seen', 'SEEN'],
  ['answered', 'ANSWERED'],
  ['flagged', 'FLAGGED'],
  ['deleted', 'DELETED'],
  ['draft', 'DRAFT'],
] as const;
const textKeys = ['text', 'body', 'subject', 'from', 'to', 'cc', 'bcc'] as const;
const dateKeys = [
  ['receivedSince', 'SINCE'],
  ['receivedBefore', 'BEFORE'],
  ['sentSince', 'SENTSINCE'],
  ['sentBefore', 'SENTBEFORE'],
] as const;
const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
/** Most levels of nested groups; servers have their own bounds, and hostile criteria nest without end. */
const MAX_DEPTH = 20;

/** Criteria as SEARCH, SORT and THREAD take them (RFC 9051 section 6.4.4). */
export function compileCriteria(criteria: Criteria, depth = 0): ImapArgument[] {
  if (depth > MAX_DEPTH) {
    throw new BrokerError('INVALID_PARAMS', `criteria: nested deeper than ${MAX_DEPTH} levels.`, { field: 'criteria' });
  }
  const group = (inner: Criteria): ImapArgument => [...compileCriteria(inner, depth + 1), ...guard(inner)];
  const keys: ImapArgument[] = [...leafKeys(criteria)];
  for (const inner of criteria.and ?? []) keys.push(group(inner));
  if (criteria.or) keys.push(...anyOf(criteria.or.map(group)));
  if (criteria.not) keys.push(atom('NOT'), group(criteria.not));
  return keys.length > 0 ? keys : [atom('ALL')];
}

/**
 * Dovecot 2.3 joins flags wrongly: `OR UNSEEN UNDRAFT` finds only messages that are neither seen nor drafts. A key that
 * always holds keeps the flags of one group apart from those of the next.
 */
function guard(inner: Criteria): ImapArgument[] {
  return flagKeys.some(([name]) => inner[name] !== undefined) ? [atom('UID'), sequence('1:*')] : [];
}

function* leafKeys(criteria: Criteria): Generator<ImapArgument> {
  for (const [name, key] of flagKeys) {
    if (criteria[name] !== undefined) yield atom(criteria[name] ? key : `UN${key}`);
  }
  for (const name of textKeys) {
    const value = criteria[name];
    if (value !== undefined) yield* [atom(name.toUpperCase()), searchString(value)];
  }
  for (const [name, key] of dateKeys) {
    const value = criteria[name];
    if (value !== undefined) yield* [atom(key), atom(searchDate(value))];
  }
  const { header, keyword, notKeyword, largerThan, smallerThan, uids } = criteria;
  if (header) yield* [atom('HEADER'), header.name, searchString(header.value)];
  if (keyword !== undefined) yield* [atom('KEYWORD'), flagAtom(keyword, 'keyword')];
  if (notKeyword !== undefined) yield* [atom('UNKEYWORD'), flagAtom(notKeyword, 'notKeyword')];
  if (largerThan !== undefined) yield* [atom('LARGER'), atom(String(largerThan))];
  if (smallerThan !== undefined) yield* [atom('SMALLER'), atom(String(smallerThan))];
  if (uids) yield* anyOf(sequenceSets(uids).map((set) => [atom('UID'), sequence(set)]));
}

/** The groups joined by OR, which takes two keys; a single group needs no OR. */
function anyOf(groups: ImapArgument[]): ImapArgument[] {
  const [first, ...rest] = groups;
  if (first === undefined) return [];
  return rest.length === 0 ? [first] : [atom('OR'), first, ...anyOf(rest)];
}

function searchString(value: string): ImapArgument {
  return /^[ -~]*$/.test(value) ? value : literal(Buffer.from(value, 'utf8'));
}

function searchDate(day: string): string {
  const [year, month = 1, date] = day.split('-').map(Number);
  return `${date}-${months[month - 1]}-${year}`;
}

function flagAtom(keyword: string, field: string): ImapArgument {
  if (/^[!#$&'+,\-./0-9:;<=>?@A-Z^_`a-z|}~[]+$/.test(keyword)) return atom(keyword);
  throw new BrokerError('INVALID_PARAMS', `criteria.${field}: must be an IMAP keyword.`, {
    field: `criteria.${field}`,
  });
}

/** Whether a compiled search has text that needs CHARSET UTF-8. */
function needsCharset(keys: readonly ImapArgument[]): boolean {
  return keys.some((key) =>
    Array.isArray(key) ? needsCharset(key) : typeof key === 'object' && 'type' in key && key.type === 'LITERAL',
  );
}

/** Uids of the hits in the selected folder, ascending. */
export async function searchUids(connection: ImapConnection, criteria: Criteria): Promise<number[]> {
  const keys = compileCriteria(criteria);
  const charset = needsCharset(keys) ? [atom('CHARSET'), atom('UTF-8')] : [];
  return searchKeys(connection, [...charset, ...keys]);
}

/** Which uids of a set the selected folder has, for instance of `17:*`, which also finds the last message below 17. */
export function searchSet(connection: ImapConnection, set: string): Promise<number[]> {
  return searchKeys(connection, [atom('UID'), sequence(set)]);
}

/** Uids that a SEARCH by these keys finds, ascending. */
export async function searchKeys(connection: ImapConnection, keys: ImapArgument[]): Promise<number[]> {
  const returns = connection.has('ESEARCH') ? [atom('RETURN'), [atom('ALL')]] : [];
  const hits = new Hits(connection);
  await connection.exec('read', 'UID SEARCH', [...returns, ...keys], {
    SEARCH: ({ numbers }) => hits.add(numbers),
    ESEARCH: ({ attributes }) => {
      const all = attributes.findIndex((attribute) => textOf(attribute).toUpperCase() === 'ALL');
      if (all >= 0) hits.addSet(textOf(attributes[all + 1]));
    },
  });
  return hits.uids.sort((a, b) => a - b);
}

/** Hits allowed beyond the folder's message count: for mail that arrives during the search. */
const MORE_HITS = 10_000;
const MOST_HITS = 4_000_000;

/** Collects hits; a connection whose server sends more hits than the folder has messages is closed. */
export class Hits {
  readonly uids: number[] = [];
  readonly #connection: ImapConnection;
  readonly #most: number;

  constructor(connection: ImapConnection) {
    this.#connection = connection;
    this.#most = Math.min(MOST_HITS, (connection.selected?.exists ?? 0) + MORE_HITS);
  }

  add(uids: readonly number[]): void {
    if (!this.#hasRoom(uids.length)) return;
    // Not `push(...uids)`: there may be more arguments than the stack can hold.
    for (const uid of uids) this.uids.push(uid);
  }

  addSet(set: string): void {
    if (this.#hasRoom(countOf(set, this.#most))) this.add(uidsOf(set));
  }

  #hasRoom(more: number): boolean {
    if (this.uids.length + more <= this.#most) return true;
    this.#connection.giveUp(tooLarge('hits of a search, which are more than the messages', this.#most));
    return false;
  }
}
