import type { Criteria } from '../../../protocol/criteria.js';
import { atom, type ImapArgument, mailboxName, modseqOf } from '../../wire/tokens.js';
import { ageKey } from './ages.js';
import { invalid, unsupported } from './bounds.js';
import { type Dialect, requireOne } from './dialect.js';
import { anyOf, searchDate, searchString, uidSet } from './keys.js';
import { uidKeys } from './uid-keys.js';

export const flagKeys = [
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
  ['receivedOn', 'ON'],
  ['sentSince', 'SENTSINCE'],
  ['sentBefore', 'SENTBEFORE'],
  ['sentOn', 'SENTON'],
] as const;
const savedKeys = [
  ['savedSince', 'SAVEDSINCE'],
  ['savedBefore', 'SAVEDBEFORE'],
  ['savedOn', 'SAVEDON'],
] as const;
const idKeys = [
  ['emailId', 'EMAILID', 'X-GM-MSGID'],
  ['threadId', 'THREADID', 'X-GM-THRID'],
] as const;
const ageKeys = [
  ['youngerThanSeconds', 'YOUNGER', 'younger'],
  ['olderThanSeconds', 'OLDER', 'older'],
] as const;
const comparing = [
  ...[...dateKeys, ...savedKeys, ...ageKeys].map(([name]) => name),
  'largerThan' as const,
  'smallerThan' as const,
];
const MAX_MODSEQ = 2n ** 63n - 1n;
const MAX_GMAIL_ID = 2n ** 64n - 1n;

/** Where a group stands. */
export interface Place {
  /** Dotted path of the parameter, for errors. */
  path: string;
  /** Whether comparisons in it must be kept apart: see {@link compared}. */
  apart: boolean;
  /** Whether sets of uids may be widened: see `compile`. */
  wide: boolean;
}

/** How many conditions of a group compare dates or sizes. */
export function comparisonsIn(criteria: Criteria): number {
  return comparing.filter((name) => criteria[name] !== undefined).length;
}

/**
 * A comparison of a date or size. Dovecot 2.3 joins what is negated wrongly: `NOT (LARGER 1 LARGER 100000)` finds nothing,
 * although it means all messages up to 100,000 bytes. A key that never holds keeps such comparisons apart, together with
 * the one of the group that always holds.
 */
function compared(keys: ImapArgument[], apart: boolean): ImapArgument[] {
  return apart ? anyOf([keys, [atom('NOT'), ...uidSet('1:*')]]) : keys;
}

/**
 * The keys of the conditions that stand in a group itself.
 * @throws BrokerError INVALID_PARAMS for what cannot be sent, UNSUPPORTED for what the server cannot answer
 */
export function* leafKeys(criteria: Criteria, dialect: Dialect, place: Place): Generator<ImapArgument> {
  const { path, apart, wide } = place;
  for (const [name, key] of flagKeys) {
    if (criteria[name] !== undefined) yield atom(criteria[name] ? key : `UN${key}`);
  }
  for (const name of textKeys) {
    const value = criteria[name];
    if (value !== undefined) yield* [atom(name.toUpperCase()), searchString(value)];
  }
  for (const [name, key] of dateKeys) {
    const value = criteria[name];
    if (value !== undefined) yield* compared([atom(key), searchDate(value)], apart);
  }
  const { header, keyword, notKeyword, largerThan, smallerThan } = criteria;
  if (header) yield* [atom('HEADER'), header.name, searchString(header.value)];
  if (keyword !== undefined) yield* [atom('KEYWORD'), flagAtom(keyword, `${path}.keyword`)];
  if (notKeyword !== undefined) yield* [atom('UNKEYWORD'), flagAtom(notKeyword, `${path}.notKeyword`)];
  if (largerThan !== undefined) yield* compared([atom('LARGER'), atom(String(largerThan))], apart);
  if (smallerThan !== undefined) yield* compared([atom('SMALLER'), atom(String(smallerThan))], apart);
  yield* uidKeys(criteria, path, wide);
  yield* extendedKeys(criteria, dialect, place);
}

/** Conditions that need an extension of IMAP. */
function* extendedKeys(criteria: Criteria, dialect: Dialect, { path, apart }: Place): Generator<ImapArgument> {
  for (const [name, key] of savedKeys) {
    const value = criteria[name];
    if (value === undefined) continue;
    requireOne(dialect, `${path}.${name}`, 'SAVEDATE');
    yield* compared([atom(key), searchDate(value)], apart);
  }
  for (const [name, key, side] of ageKeys) {
    const seconds = criteria[name];
    if (seconds === undefined) continue;
    const age = dialect.ages.get(seconds);
    if (age) yield* compared([ageKey(age, side)], apart);
    else {
      requireOne(dialect, `${path}.${name}`, 'WITHIN');
      yield* compared([atom(key), atom(String(seconds))], apart);
    }
  }
  for (const [name, key, gmailKey] of idKeys) {
    const id = criteria[name];
    if (id !== undefined) yield* idKey(id, { key, gmailKey, field: `${path}.${name}` }, dialect);
  }
  const { modseqSince, label, gmailRaw } = criteria;
  if (modseqSince !== undefined) yield* modseqKey(modseqSince, dialect, `${path}.modseqSince`);
  if (label !== undefined) {
    requireGmail(dialect, `${path}.label`);
    yield* [atom('X-GM-LABELS'), labelArgument(label)];
  }
  if (gmailRaw !== undefined) {
    requireGmail(dialect, `${path}.gmailRaw`);
    yield* [atom('X-GM-RAW'), searchString(gmailRaw)];
  }
}

/** A label as commands take it: system labels as they are, others like names of folders. */
export function labelArgument(label: string): ImapArgument {
  return label.startsWith('\\') ? atom(label) : mailboxName(label);
}

function requireGmail(dialect: Dialect, field: string): void {
  if (!dialect.has('X-GM-EXT-1')) throw unsupported(field, 'only Gmail has this (X-GM-EXT-1).');
}

function modseqKey(modseq: string, dialect: Dialect, field: string): ImapArgument[] {
  requireOne(dialect, field, 'CONDSTORE', 'QRESYNC');
  if (!dialect.modseqs) throw unsupported(field, 'the folder keeps no mod-sequences.');
  const value = modseqOf(atom(modseq));
  if (value === undefined || value > MAX_MODSEQ) throw invalid(field, 'a mod-sequence has at most 63 bits.');
  return [atom('MODSEQ'), atom(value.toString())];
}

function idKey(
  id: string,
  { key, gmailKey, field }: { key: string; gmailKey: string; field: string },
  dialect: Dialect,
): ImapArgument[] {
  if (dialect.has('OBJECTID')) return [atom(key), atom(id)];
  requireOne(dialect, field, 'OBJECTID', 'X-GM-EXT-1');
  if (!/^\d{1,20}$/.test(id) || BigInt(id) > MAX_GMAIL_ID) {
    throw invalid(field, 'an identifier of Gmail is a decimal number of 64 bits.');
  }
  return [atom(gmailKey), atom(id)];
}

function flagAtom(keyword: string, field: string): ImapArgument {
  if (/^[!#$&'+,\-./0-9:;<=>?@A-Z^_`a-z|}~[]+$/.test(keyword)) return atom(keyword);
  throw invalid(field, 'must be an IMAP keyword.');
}
