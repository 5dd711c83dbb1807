import { BrokerError } from '../../../protocol/errors.js';
import type { ImapConnection } from '../../connection/connection.js';
import { toIso } from '../../mime/convert-date.js';
import { sequenceSets } from '../../wire/sequence-set.js';
import { atom, type ImapArgument, textOf } from '../../wire/tokens.js';
import { breathe } from '../../wire/turn-budget.js';
import { fetchRows, survivingExpunge } from '../fetch-rows.js';
import { type Group, invalid } from './bounds.js';
import { anyOf, searchDate, uidSet } from './keys.js';

/** Most different ages in one search: each costs a SEARCH of its own. */
const MOST_AGES = 10;
/** Most messages whose internal date is fetched for one search, over all ages. */
const MOST_DATES = 20_000;
/** Messages in one FETCH of nothing but the internal date. */
const BATCH = 1000;
const DAY_MS = 86_400_000;

/** How an age divides the messages of the folder, without WITHIN. */
export interface Age {
  /** Messages received on this day or later are younger. */
  since: string;
  /** Messages received before this day are older. */
  before: string;
  /** Uids of those received in between. */
  younger: number[];
  older: number[];
}

/**
 * Divides the messages by each age that the groups name. SEARCH knows days only, in the time zone of the server or of
 * the message, which is up to a day ahead of UTC or behind it: of the messages of the day in question and of the days
 * beside it, the broker compares the internal dates.
 * @param search finds uids by keys
 * @throws BrokerError INVALID_PARAMS for too many ages, TOO_LARGE where too many messages are of those days
 */
export async function divideByAge(
  connection: ImapConnection,
  groups: readonly Group[],
  search: (keys: ImapArgument[]) => Promise<number[]>,
): Promise<Map<number, Age>> {
  const fields = new Map<number, string>();
  for (const { criteria, path } of groups) {
    for (const name of ['youngerThanSeconds', 'olderThanSeconds'] as const) {
      const seconds = criteria[name];
      if (seconds !== undefined) fields.set(seconds, `${path}.${name}`);
      if (fields.size > MOST_AGES) {
        throw invalid(`${path}.${name}`, `the IMAP server has no WITHIN: at most ${MOST_AGES} different ages.`);
      }
    }
  }
  const now = Date.now();
  const dates = new Map<number, number>();
  const found = new Map<number, Age>();
  for (const [seconds, field] of fields) {
    // Internal dates have no milliseconds.
    const edge = Math.floor(now / 1000) * 1000 - seconds * 1000;
    const [before, since] = [dayOf(edge - DAY_MS), dayOf(edge + 2 * DAY_MS)];
    const uids = await search([atom('SINCE'), searchDate(before), atom('BEFORE'), searchDate(since)]);
    await learnDates(connection, uids, dates, field);
    const younger: number[] = [];
    const older: number[] = [];
    for (const uid of uids) {
      const date = dates.get(uid);
      // A message without a date is gone meanwhile.
      if (date === undefined) continue;
      if (date >= edge) younger.push(uid);
      if (date <= edge) older.push(uid);
    }
    found.set(seconds, { since, before, younger, older });
  }
  return found;
}

/** The key for one side of an age. */
export function ageKey({ since, before, younger, older }: Age, side: 'younger' | 'older'): ImapArgument {
  const [key, day, uids] = side === 'younger' ? ['SINCE', since, younger] : ['BEFORE', before, older];
  return anyOf([[atom(key), searchDate(day)], ...sequenceSets(uids).map(uidSet)]);
}

/** Adds the internal dates of those messages that are not known yet, in milliseconds. */
async function learnDates(
  connection: ImapConnection,
  uids: readonly number[],
  dates: Map<number, number>,
  field: string,
): Promise<void> {
  const unknown = uids.filter((uid) => !dates.has(uid));
  if (dates.size + unknown.length > MOST_DATES) {
    throw new BrokerError(
      'TOO_LARGE',
      `${field}: the IMAP server has no WITHIN, and more than ${MOST_DATES} messages are of the days in question.`,
      { field },
    );
  }
  for (let from = 0; from < unknown.length; from += BATCH) {
    const batch = new Set(unknown.slice(from, from + BATCH));
    for (const set of sequenceSets([...batch])) {
      const rows = await survivingExpunge(connection, () =>
        fetchRows(connection, set, [atom('INTERNALDATE')], 'uid', {
          reduce: ({ uid, items }) => ({ uid, date: Date.parse(toIso(textOf(items.get('INTERNALDATE'))) ?? '') }),
        }),
      );
      // As everywhere, a date that cannot be read is the epoch.
      for (const { uid, date } of rows) if (batch.has(uid)) dates.set(uid, date || 0);
      await breathe();
    }
  }
}

function dayOf(time: number): string {
  return new Date(time).toISOString().slice(0, 10);
}
