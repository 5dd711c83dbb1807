import type { Criteria } from '../../../protocol/criteria.js';
import { atom, type ImapArgument, mailboxName, modseqOf } from '../../wire/tokens.js';
import { ageKey } from './ages.js';
import { invalid, unsupported } from './bounds.js';
import { type Dialect, requireOne } from './dialect.js';
import { searchDate, searchString } from './keys.js';
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
const MAX_MODSEQ = 2n ** 63n - 1n;
const MAX_GMAIL_ID = 2n ** 64n - 1n;

/**
 * The keys of the conditions that stand in a group itself.
 * @param path of the group, for errors
 * @throws BrokerError INVALID_PARAMS for what cannot be sent, UNSUPPORTED for what the server cannot answer
 */
export function* leafKeys(criteria: Criteria, dialect: Dialect, path: string): Generator<ImapArgument> {
  for (const [name, key] of flagKeys) {
    if (criteria[name] !== undefined) yield atom(criteria[name] ? key : `UN${key}`);
  }
  for (const name of textKeys) {
    const value = criteria[name];
    if (value !== undefined) yield* [atom(name.toUpperCase()), searchString(value)];
  }
  for (const [name, key] of dateKeys) {
    const value = criteria[name];
    if (value !== undefined) yield* [atom(key), searchDate(value)];
  }
  const { header, keyword, notKeyword, largerThan, smallerThan } = criteria;
  if (header) yield* [atom('HEADER'), header.name, searchString(header.value)];
  if (keyword !== undefined) yield* [atom('KEYWORD'), flagAtom(keyword, `${path}.keyword`)];
  if (notKeyword !== undefined) yield* [atom('UNKEYWORD'), flagAtom(notKeyword, `${path}.notKeyword`)];
  if (largerThan !== undefined) yield* [atom('LARGER'), atom(String(largerThan))];
  if (smallerThan !== undefined) yield* [atom('SMALLER'), atom(String(smallerThan))];
  yield* uidKeys(criteria, path);
  yield* extendedKeys(criteria, dialect, path);
}

/** Conditions that need an extension of IMAP. */
function* extendedKeys(criteria: Criteria, dialect: Dialect, path: string): Generator<ImapArgument> {
  for (const [name, key] of savedKeys) {
    const value = criteria[name];
    if (value === undefined) continue;
    requireOne(dialect, `${path}.${name}`, 'SAVEDATE');
    yield* [atom(key), searchDate(value)];
  }
  for (const [name, key, side] of ageKeys) {
    const seconds = criteria[name];
    if (seconds === undefined) continue;
    const age = dialect.ages.get(seconds);
    if (age) yield ageKey(age, side);
    else {
      requireOne(dialect, `${path}.${name}`, 'WITHIN');
      yield* [atom(key), atom(String(seconds))];
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
