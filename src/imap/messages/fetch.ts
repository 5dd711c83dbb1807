import { asksFor, type Field, type MessageSummary } from '../../protocol/rows.js';
import type { ImapConnection } from '../connection/connection.js';
import { toFlags } from '../wire/convert.js';
import { fetchFlags } from './fetch-flags.js';
import { type FetchedRow, fetchRows } from './fetch-rows.js';
import { fetchDivided, isDivisible } from './rows/divided.js';
import { DoubtfulRows } from './rows/doubtful.js';
import { Previews } from './rows/previews.js';
import { RowItems } from './rows/row-items.js';

/** Most messages in one FETCH: with more, an abort would take too long to be noticed. */
export const FETCH_BATCH = 200;

/**
 * Index rows of messages by uid, in no order; messages that are gone are left out.
 * @throws BrokerError as commands of the connection do
 */
export async function fetchSummaries(
  connection: ImapConnection,
  uids: readonly number[],
  fields: readonly Field[],
): Promise<MessageSummary[]> {
  const rows: MessageSummary[] = [];
  for (let from = 0; from < uids.length; from += FETCH_BATCH) {
    const set = uids.slice(from, from + FETCH_BATCH).join(',');
    rows.push(...(await fetchRange(connection, set, 'uid', fields)));
  }
  return rows;
}

/**
 * Rows of a set of at most {@link FETCH_BATCH} messages, by uid or by sequence number; usually one round trip, with
 * previews that the broker makes one or two more. A message that the server refuses has a row in which the members that
 * it could not send are `unreadable`.
 */
export async function fetchRange(
  connection: ImapConnection,
  set: string,
  by: 'uid' | 'sequence',
  fields: readonly Field[],
): Promise<MessageSummary[]> {
  const rows = new RowFetch(connection, fields);
  try {
    await rows.fetch(set, by);
  } catch (failure) {
    if (!isDivisible(failure) || !rows.mayBeDivided) throw failure;
    await rows.divide(set, by, failure);
  }
  return rows.finish();
}

class RowFetch {
  readonly #connection: ImapConnection;
  readonly #fields: readonly Field[];
  readonly #items: RowItems;
  readonly #doubtful: DoubtfulRows;
  readonly #previews: Previews;
  readonly #rows = new Map<number, MessageSummary>();

  constructor(connection: ImapConnection, fields: readonly Field[]) {
    this.#connection = connection;
    this.#fields = fields;
    this.#items = new RowItems(connection, fields);
    this.#doubtful = new DoubtfulRows(this.#items);
    this.#previews = new Previews(connection);
  }

  /** Whether anything is asked for that a server could refuse for a single message. */
  get mayBeDivided(): boolean {
    return this.#fields.some((field) => field !== 'flags');
  }

  /** One FETCH, whose complete rows are kept even if it is refused in the end. */
  async fetch(set: string, by: 'uid' | 'sequence', light = false): Promise<void> {
    const missing = light ? this.#items.missing('light') : undefined;
    const reduce = (row: FetchedRow) =>
      this.#add(missing ? { ...row, unreadable: new Set([...row.unreadable, ...missing]) } : row);
    const amend = (summary: MessageSummary, items: FetchedRow['items']) => {
      if (summary.flags && items.has('FLAGS')) summary.flags = toFlags(items.get('FLAGS'));
    };
    await fetchRows(this.#connection, set, this.#items.items(light), by, { reduce, amend });
  }

  /**
   * Fetches the rows that are missing after a refusal: in smaller groups; of messages that are refused alone, what the
   * server need not parse them for; at last nothing but the flags.
   * @throws the failure when the server refuses every message
   */
  async divide(set: string, by: 'uid' | 'sequence', failure: unknown): Promise<void> {
    const flags = await fetchFlags(this.#connection, set, by);
    const missing = [...flags.keys()].filter((uid) => !this.#rows.has(uid));
    const has = (uid: number) => this.#rows.has(uid);
    const fetch = (light: boolean) => (uids: readonly number[]) => this.fetch(uids.join(','), 'uid', light);
    const refused = await fetchDivided(missing, fetch(false), has);
    const left = await fetchDivided(refused, fetch(true), has);
    if (this.#rows.size === 0 && left.length > 0) throw failure;
    const unreadable = this.#items.missing('flags');
    for (const uid of left) {
      const summary = this.#add({ uid, items: new Map(), unreadable });
      if (summary.flags) summary.flags = flags.get(uid) ?? [];
    }
  }

  async finish(): Promise<MessageSummary[]> {
    await this.#doubtful.readAgain(this.#connection);
    await this.#previews.make();
    return [...this.#rows.values()];
  }

  #add(row: FetchedRow): MessageSummary {
    const { summary, readable } = this.#items.summary(row);
    this.#rows.set(row.uid, summary);
    this.#doubtful.note(summary, row);
    if (asksFor(this.#fields, 'preview') && summary.preview === null) this.#previews.note(summary, readable);
    return summary;
  }
}
