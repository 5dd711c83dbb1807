import type { Criteria, Sort } from '../../../protocol/criteria.js';
import { BrokerError } from '../../../protocol/errors.js';
import type { MessageSummary } from '../../../protocol/rows.js';
import type { ImapConnection } from '../../connection/connection.js';
import { isOfFolderBefore } from '../../connection/refused-folder.js';
import { findMailbox, isSelectable } from '../../mailboxes/mailbox-list.js';
import { isRefusal } from '../../mailboxes/mailbox-status.js';
import { sortKey } from '../../mime/sort-key.js';
import { atom, type ImapArgument, textOf } from '../../wire/tokens.js';
import { breathe } from '../../wire/turn-budget.js';
import { compileCriteria, Hits, searchUids } from '../search/search.js';
import { searchSorted } from '../search/sort.js';
import { askedFor } from '../search/uid-keys.js';
import { examineEach, type FolderFacts } from './examine-each.js';
import { fetchKeys, isShort, type Keys, putInOrder } from './folder-keys.js';
import type { Run } from './found-messages.js';

/** What is searched for, and in which order; without an order the hits are counted alone. */
export interface Question {
  filter: Criteria;
  sort: readonly Sort[] | undefined;
}

/** Takes what a search comes to, folder by folder: what it took counts even if the rest is never finished. */
export interface Taker {
  found(run: Run): void;
  /** There is no such folder, or none that could have messages. */
  missing(mailbox: string, error: BrokerError): void;
  /** The folder is there, and the server refuses to open or to search it. */
  refused(mailbox: string, error: BrokerError): void;
  /** These hits are to be sorted by the broker, which has to fetch their keys. @throws BrokerError TOO_LARGE */
  sorting(run: Run): void;
}

/**
 * Searches folders: those of several in one packet, and each in which that failed alone.
 * @throws BrokerError INVALID_PARAMS, TOO_LARGE, CONNECTION_LOST
 */
export async function searchFolders(
  connection: ImapConnection,
  mailboxes: readonly string[],
  question: Question,
  taker: Taker,
): Promise<void> {
  const keys = commonKeys(question.filter);
  let left = mailboxes;
  if (keys && mailboxes.length > 1 && (!hasLiteral(keys) || takesLiterals(connection))) {
    const shut = new Map<string, BrokerError>();
    const done = await searchTogether(connection, mailboxes, keys, question, shut);
    await take(connection, [...done.values()], question, taker);
    const told = shut.size > 1 ? await tellShut(connection, shut, keys, question, taker) : undefined;
    left = mailboxes.filter((mailbox) => !done.has(mailbox) && !told?.has(mailbox));
  }
  for (const mailbox of left) await searchAlone(connection, mailbox, question, taker);
}

/**
 * Finds out in two packets which of the folders that could not be opened are missing, and searches again those that are
 * not: a session of Dovecot overlooks a folder that was just made, until a LIST makes the session look.
 * @returns the folders that were passed on
 */
async function tellShut(
  connection: ImapConnection,
  shut: Map<string, BrokerError>,
  keys: ImapArgument[],
  question: Question,
  taker: Taker,
): Promise<Set<string>> {
  // Opened alone, they tell whether the session has to end.
  for (const [mailbox, error] of shut) if (isOfFolderBefore(error)) shut.delete(mailbox);
  const unknown = [...shut].flatMap(([mailbox, { kind }]) => (kind === 'NOT_FOUND' ? [mailbox] : []));
  const listed = await Promise.all(
    connection.together(() => unknown.map(async (mailbox) => ((await isThere(connection, mailbox)) ? [mailbox] : []))),
  );
  const there = new Set(listed.flat());
  const missing = new Set(unknown.filter((mailbox) => !there.has(mailbox)));
  const again = await searchTogether(connection, [...there], keys, question, new Map());
  await take(connection, [...again.values()], question, taker);
  for (const [mailbox, error] of shut) {
    if (missing.has(mailbox)) taker.missing(mailbox, error);
    else if (!again.has(mailbox)) taker.refused(mailbox, error);
  }
  return new Set(shut.keys());
}

/** The keys of a search that are the same for all folders; undefined where a condition depends on server or folder. */
function commonKeys(filter: Criteria): ImapArgument[] | undefined {
  try {
    return compileCriteria(filter);
  } catch (failure) {
    if (failure instanceof BrokerError && failure.kind === 'UNSUPPORTED') return undefined;
    throw failure;
  }
}

async function searchAlone(
  connection: ImapConnection,
  mailbox: string,
  question: Question,
  taker: Taker,
): Promise<void> {
  const { filter, sort } = question;
  try {
    const selected = await connection.select(mailbox, { fresh: true });
    const facts = { ...selected, mailbox };
    const sorted = sort && connection.has('SORT') ? await searchSorted(connection, filter, sort) : undefined;
    const uids = Uint32Array.from(sorted?.uids ?? (await searchUids(connection, filter)));
    await take(connection, [runOf(facts, uids, sort)], question, taker);
  } catch (failure) {
    if (!isRefusal(failure)) throw failure;
    if (failure.kind === 'NOT_FOUND' && !(await isThere(connection, mailbox))) taker.missing(mailbox, failure);
    else taker.refused(mailbox, failure);
  }
}

/** Whether LIST shows a folder that could not be opened. */
async function isThere(connection: ImapConnection, mailbox: string): Promise<boolean> {
  try {
    const listed = await findMailbox(connection, mailbox);
    return listed !== undefined && listed.name === mailbox && isSelectable(listed);
  } catch (failure) {
    if (!isRefusal(failure)) throw failure;
    return false;
  }
}

async function searchTogether(
  connection: ImapConnection,
  mailboxes: readonly string[],
  keys: ImapArgument[],
  { filter, sort }: Question,
  shut: Map<string, BrokerError>,
): Promise<Map<string, Run>> {
  if (mailboxes.length === 0) return new Map();
  const sorts = sort !== undefined && connection.has('SORT');
  const charset = hasLiteral(keys) ? [atom('CHARSET'), atom('UTF-8')] : [];
  const returns = connection.has('ESEARCH') ? [atom('RETURN'), [atom('ALL')]] : [];
  const order = (sort ?? []).flatMap(({ by, descending }) => [...(descending ? ['REVERSE'] : []), by.toUpperCase()]);
  const name = sorts ? 'UID SORT' : 'UID SEARCH';
  const args = sorts ? [order.map(atom), atom('UTF-8'), ...keys] : [...returns, ...charset, ...keys];
  const search = async (facts: Readonly<FolderFacts>) => {
    const hits = new Hits(connection, facts);
    await connection.exec('read', name, args, {
      SEARCH: ({ numbers }) => hits.add(numbers),
      SORT: ({ numbers }) => hits.add(numbers),
      ESEARCH: ({ attributes }) => {
        const all = attributes.findIndex((attribute) => textOf(attribute).toUpperCase() === 'ALL');
        if (all >= 0) hits.addSet(textOf(attributes[all + 1]));
      },
    });
    return hits.uids;
  };
  const done = await examineEach(connection, mailboxes, search, shut);
  const runs = new Map<string, Run>();
  for (const [mailbox, { facts, value }] of done) {
    runs.set(mailbox, runOf(facts, Uint32Array.from(await askedFor(filter, value)), sort));
  }
  return runs;
}

function runOf(facts: FolderFacts, uids: Uint32Array, sort: readonly Sort[] = []): Run {
  const { mailbox, uidValidity, exists, uidNext, highestModseq } = facts;
  const stamp = stampOf({ uidValidity, uidNext, messages: exists, highestModseq });
  return { mailbox, uidValidity, uids, columns: sort.map(() => []), stamp };
}

/** The state of a folder as text; undefined where a change of flags would not show in it. */
export function stampOf(state: {
  uidValidity: number | undefined;
  uidNext: number | undefined;
  messages: number | undefined;
  highestModseq: bigint | undefined;
}): string | undefined {
  const { uidValidity, uidNext, messages, highestModseq } = state;
  if (!uidValidity || !uidNext || messages === undefined || !highestModseq) return undefined;
  return [uidValidity, uidNext, messages, highestModseq].join('.');
}

/** Passes runs on: where the server does not sort, in the order of their keys, which are fetched for that. */
async function take(connection: ImapConnection, runs: Run[], { sort }: Question, taker: Taker): Promise<void> {
  let refused = new Map<string, BrokerError>();
  if (sort && !connection.has('SORT')) {
    const some = runs.filter(({ uids }) => uids.length > 0);
    for (const run of some) taker.sorting(run);
    refused = await fetchNextKeys(connection, some, sort, Number.POSITIVE_INFINITY);
    for (const run of some) {
      await putInOrder(run, sort);
      await breathe();
    }
  }
  for (const run of runs) {
    const error = refused.get(run.mailbox);
    if (error) taker.refused(run.mailbox, error);
    else taker.found(run);
  }
}

/**
 * Fetches the keys of the next hits of runs, so that these can be merged. Hits that are gone leave their run; of a folder
 * that is gone or was replaced, all that have no keys.
 * @returns folders that the server refuses
 */
export async function fetchNextKeys(
  connection: ImapConnection,
  runs: readonly Run[],
  sort: readonly Sort[],
  count: number,
): Promise<Map<string, BrokerError>> {
  const refused = new Map<string, BrokerError>();
  const next = new Map(runs.map((run) => [run.mailbox, { run, ...nextOf(run, count) }]));
  if (runs.length > 1 && isShort(sort)) {
    const done = await examineEach(connection, [...next.keys()], ({ mailbox }) =>
      fetchKeys(connection, next.get(mailbox)?.uids ?? new Uint32Array(), sort),
    );
    for (const [mailbox, { facts, value }] of done) {
      const one = next.get(mailbox);
      if (one) addKeys(one, facts.uidValidity === one.run.uidValidity ? value : undefined);
      next.delete(mailbox);
    }
  }
  for (const one of next.values()) {
    try {
      await connection.select(one.run.mailbox, { uidValidity: one.run.uidValidity });
      addKeys(one, await fetchKeys(connection, one.uids, sort));
    } catch (failure) {
      const changed = failure instanceof BrokerError && failure.kind === 'STATE_CHANGED';
      if (!changed && !isRefusal(failure)) throw failure;
      if (failure.kind === 'IMAP_NO') refused.set(one.run.mailbox, failure);
      addKeys(one, undefined);
    }
  }
  return refused;
}

function nextOf({ uids, columns }: Run, count: number): { from: number; uids: Uint32Array } {
  const from = columns[0]?.length ?? 0;
  return { from, uids: uids.slice(from, from + count) };
}

/** Takes the keys of all hits of a run from rows; hits without a row are gone. */
export function addRows(run: Run, rows: ReadonlyMap<number, MessageSummary> | undefined, sort: readonly Sort[]): void {
  const next = nextOf(run, run.uids.length);
  const keys: Keys | undefined =
    rows && new Map(Array.from(rows, ([uid, row]) => [uid, sort.map(({ by }) => sortKey(row, by))]));
  addKeys({ run, ...next }, keys);
}

type Next = { run: Run; from: number; uids: Uint32Array };

/** @param keys undefined: the folder is gone */
function addKeys({ run, from, uids }: Next, keys: Keys | undefined): void {
  // Another request may have fetched them meanwhile.
  if ((run.columns[0]?.length ?? 0) !== from) return;
  const known = uids.filter((uid) => keys?.has(uid));
  for (const [index, column] of run.columns.entries()) {
    for (const uid of known) column.push(keys?.get(uid)?.[index] ?? 0);
  }
  if (known.length === uids.length) return;
  const rest = keys ? run.uids.subarray(from + uids.length) : new Uint32Array();
  run.uids = Uint32Array.from([...run.uids.subarray(0, from), ...known, ...rest]);
  // The hits are no longer those that a search of this state finds.
  run.stamp = undefined;
}

/** Whether a search has text that needs CHARSET UTF-8, and is sent as a literal. */
function hasLiteral(keys: readonly ImapArgument[]): boolean {
  return keys.some((key) =>
    Array.isArray(key) ? hasLiteral(key) : typeof key === 'object' && 'type' in key && key.type === 'LITERAL',
  );
}

/** Whether the server takes literals without being waited for (RFC 7888); none of a search is longer than 4096. */
function takesLiterals(connection: ImapConnection): boolean {
  return connection.has('LITERAL+') || connection.has('LITERAL-');
}
