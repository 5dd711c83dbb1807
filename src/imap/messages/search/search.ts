import type { Criteria } from '../../../protocol/criteria.js';
import type { ImapConnection } from '../../connection/connection.js';
import { tooLarge } from '../../wire/errors.js';
import { countOf, uidsOf } from '../../wire/sequence-set.js';
import { atom, type ImapArgument, textOf } from '../../wire/tokens.js';
import { divideByAge } from './ages.js';
import { boundedGroups } from './bounds.js';
import { withCharset } from './charset.js';
import { compile } from './compile.js';
import { dialectOf, plainDialect } from './dialect.js';
import { uidSet } from './keys.js';
import { askedFor } from './uid-keys.js';

/**
 * Criteria in the form that every server accepts in SEARCH, SORT and THREAD (RFC 3501 section 6.4.4).
 * @throws BrokerError INVALID_PARAMS; UNSUPPORTED for conditions that need an extension, which {@link keysFor} takes
 */
export function compileCriteria(criteria: Criteria): ImapArgument[] {
  return compile(boundedGroups(criteria), plainDialect);
}

/**
 * Criteria as the server of a connection takes them in SEARCH, SORT and THREAD, for the selected folder as it is now.
 * Their words are sent by {@link withCharset}. Costs round trips only where the server has no WITHIN and an age is asked
 * for.
 * @param wide whether the hits go through `askedFor`, so that a long set of uids need not be sent
 * @throws BrokerError INVALID_PARAMS, and UNSUPPORTED for what the server does not offer, with the field; TOO_LARGE
 */
export async function keysFor(connection: ImapConnection, criteria: Criteria, wide = false): Promise<ImapArgument[]> {
  const groups = boundedGroups(criteria);
  const search = (keys: ImapArgument[]) => searchKeys(connection, keys);
  const ages = connection.has('WITHIN') ? plainDialect.ages : await divideByAge(connection, groups, search);
  return compile(groups, dialectOf(connection, ages), wide);
}

/**
 * Uids of the hits in the selected folder, ascending.
 * @throws BrokerError as {@link keysFor} and {@link withCharset} do
 */
export async function searchUids(connection: ImapConnection, criteria: Criteria): Promise<number[]> {
  const hits = await withCharset(connection, await keysFor(connection, criteria, true), (charset, keys) => {
    const named = charset === 'US-ASCII' ? [] : [atom('CHARSET'), atom(charset)];
    return searchKeys(connection, [...named, ...keys]);
  });
  return askedFor(criteria, hits);
}

/**
 * Whether the hits may be others although nothing has changed in the folder: ages pass, and servers do not tell of labels
 * as they tell of flags. What such criteria found must not be kept.
 */
export function isFleeting(criteria: Criteria): boolean {
  const names = ['youngerThanSeconds', 'olderThanSeconds', 'label', 'gmailRaw'] as const;
  return boundedGroups(criteria).some((group) => names.some((name) => group.criteria[name] !== undefined));
}

/** Which uids of a set the selected folder has, for instance of `17:*`, which also finds the last message below 17. */
export function searchSet(connection: ImapConnection, set: string): Promise<number[]> {
  return searchKeys(connection, uidSet(set));
}

/**
 * Uids that a SEARCH by these keys finds, ascending. The command is begun at once.
 * @param folder the one that is searched, where it is not yet selected
 */
export async function searchKeys(
  connection: ImapConnection,
  keys: readonly ImapArgument[],
  folder?: SizedFolder,
): Promise<number[]> {
  const returns = connection.has('ESEARCH') ? [atom('RETURN'), [atom('ALL')]] : [];
  const hits = new Hits(connection, folder);
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

/** A folder with its messages, of which the server tells as it opens the folder. */
interface SizedFolder {
  readonly exists: number;
}

/** Collects hits; a connection whose server sends more hits than the folder has messages is closed. */
export class Hits {
  readonly uids: number[] = [];
  readonly #connection: ImapConnection;
  readonly #folder: SizedFolder;

  constructor(connection: ImapConnection, folder: SizedFolder = { exists: connection.selected?.exists ?? 0 }) {
    this.#connection = connection;
    this.#folder = folder;
  }

  add(uids: readonly number[]): void {
    if (!this.#hasRoom(uids.length)) return;
    // Not `push(...uids)`: there may be more arguments than the stack can hold.
    for (const uid of uids) this.uids.push(uid);
  }

  addSet(set: string): void {
    if (this.#hasRoom(countOf(set, this.#most))) this.add(uidsOf(set));
  }

  get #most(): number {
    return Math.min(MOST_HITS, this.#folder.exists + MORE_HITS);
  }

  #hasRoom(more: number): boolean {
    if (this.uids.length + more <= this.#most) return true;
    this.#connection.giveUp(tooLarge('hits of a search, which are more than the messages', this.#most));
    return false;
  }
}
