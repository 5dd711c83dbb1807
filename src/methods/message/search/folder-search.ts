import { offersModseqs } from '../../../imap/connection/capability-list.js';
import { foldersOf } from '../../../imap/mailboxes/folders-of.js';
import { statesOf } from '../../../imap/mailboxes/stamps-together.js';
import { FoundMessages, type Run } from '../../../imap/messages/folders/found-messages.js';
import { searchFolders, stampOf, type Taker } from '../../../imap/messages/folders/search-folders.js';
import { isFleeting } from '../../../imap/messages/search/search.js';
import { canonicalName } from '../../../imap/wire/mailbox-names.js';
import { deadlineError } from '../../../pool/account-errors.js';
import type { Params, Result } from '../../../protocol/contract.js';
import { BrokerError } from '../../../protocol/errors.js';
import type { SessionContext } from '../../context.js';
import { canonical } from '../../support/canonical.js';
import { FoundPages } from './found-pages.js';
import type { PieceSize, SearchConnections } from './search-connections.js';
import { decodeSearchCursor, encodeSearchCursor, type SearchCursor, tagOf } from './search-cursor.js';

type Answer = Omit<Result<'message.search'>, 'meta' | 'explain'>;

/** Most messages whose sort keys the broker fetches for one search. */
export const SORTED_BY_BROKER = 200_000;
/** Most hits of one search. */
const MOST_HITS = 2_000_000;
/** Folders in one piece of a search: other requests of the user wait for a piece at most. */
const PIECE: PieceSize = { first: 12, most: 25 };
/** Folders whose state is asked for in one piece. */
const STATES: PieceSize = { first: 100, most: 100 };
const ONE: PieceSize = { first: 1, most: 1 };
/** Milliseconds for which pages are taken from the order of the first page, whatever happens in the folders. */
const HELD_MS = 5 * 60_000;
/** The answer comes so much before the deadline: this share of the time that there is, within these milliseconds. */
const EARLY = { share: 0.1, least: 20, most: 500 };
/** Of the time, what is left to fetch the rows when the search has to end. */
const FOR_ROWS = { share: 0.15, most: 2_000 };

/** Why a search may end with what it has found by then. */
const ending = new Set(['DEADLINE', 'CONNECTION_LOST', 'POOL_EXHAUSTED', 'UPSTREAM_UNAVAILABLE']);

/** One request that searches folders. */
export class FolderSearch {
  readonly #context: SessionContext;
  readonly #params: Params<'message.search'>;
  readonly #connections: SearchConnections;
  /** What decides about the order; pages of one order have it in common. */
  readonly #question: string;
  readonly #begunAt = Date.now();
  /** `Date.now()` when the folders have to be searched, and when the page has to be there. */
  readonly #searchBy: number;
  readonly #answerBy: number;
  readonly #runs = new Map<string, Run>();
  readonly #refused = new Map<string, BrokerError>();
  readonly #missing = new Map<string, BrokerError>();
  readonly #sorting = new Map<string, number>();

  constructor(context: SessionContext, params: Params<'message.search'>, connections: SearchConnections) {
    const { mailboxes, filter, sort, countOnly } = params;
    const folders = Array.isArray(mailboxes) ? [...new Set(mailboxes.map(canonicalName))].sort() : mailboxes;
    this.#context = context;
    this.#params = params;
    this.#connections = connections;
    this.#question = canonical([folders, filter, countOnly ? null : sort]);
    const ms = context.deadlineAt - this.#begunAt;
    const early = Math.min(EARLY.most, Math.max(EARLY.least, ms * EARLY.share));
    this.#answerBy = context.deadlineAt - early;
    this.#searchBy = this.#answerBy - Math.min(FOR_ROWS.most, ms * FOR_ROWS.share);
  }

  /** @returns the answer, and `Date.now()` when the search behind it began */
  async answer(): Promise<{ answer: Answer; asOf: number }> {
    const { countOnly, cursor, offset = 0, limit } = this.#params;
    const start = cursor === undefined ? undefined : decodeSearchCursor(this.#question, cursor);
    const kept = this.#recall();
    const held = start && kept?.id === start.order && this.#begunAt - kept.asOf <= HELD_MS ? kept : undefined;
    const found = held ?? (await this.#find(kept));
    const incomplete = new Set(found.incomplete);
    const { total } = found;
    const searched = found.runs.length;
    const counts = { total, searched, messages: [], nextCursor: null, nextOffset: null };
    if (countOnly) {
      this.#keep(found);
      return { answer: { ...counts, incomplete: [...incomplete] }, asOf: found.asOf };
    }
    const pages = new FoundPages(found, this.#params.fields, this.#connections, {
      searchBy: this.#searchBy,
      answerBy: this.#answerBy,
      leaveOut: (mailbox) => incomplete.add(mailbox),
    });
    const from = held && start ? start.position : start ? await pages.behind(start) : offset;
    const page = await pages.page(from, limit);
    this.#keep(found);
    const answer = {
      ...counts,
      total: found.total,
      messages: page.messages,
      nextCursor: page.last ? this.#cursorOf(found, page.to, page.last) : null,
      nextOffset: page.last ? page.to : null,
      incomplete: [...incomplete].sort(),
    };
    return { answer, asOf: found.asOf };
  }

  #cursorOf(found: FoundMessages, position: number, last: Omit<SearchCursor, 'order' | 'position'>): string {
    return encodeSearchCursor(this.#question, { order: found.id, position, ...last });
  }

  #recall(): FoundMessages | undefined {
    return this.#context.services.views.recallFound(this.#context.account.key, tagOf(this.#question));
  }

  #keep(found: FoundMessages): void {
    this.#context.services.views.keepFound(this.#context.account.key, tagOf(this.#question), found);
  }

  /** Searches all folders but those whose state is as it was when they were searched for the same. */
  async #find(kept: FoundMessages | undefined): Promise<FoundMessages> {
    const { countOnly, sort } = this.#params;
    const names = await this.#names();
    if (kept && !isFleeting(this.#params.filter)) await this.#reuse(kept, new Set(names));
    const rest = names.filter((name) => !this.#runs.has(name));
    if (kept && rest.length === 0 && kept.incomplete.length === 0 && kept.runs.length === names.length) {
      kept.asOf = this.#begunAt;
      return kept;
    }
    const failure = await this.#search(rest);
    const [missing] = this.#missing.values();
    if (missing && Array.isArray(this.#params.mailboxes)) throw missing;
    const left = rest.filter((name) => !this.#runs.has(name) && !this.#missing.has(name));
    // Where nothing was searched at all, the reason says more than the names of all folders.
    if (left.length > 0 && this.#runs.size === 0)
      throw failure ?? this.#refused.values().next().value ?? deadlineError();
    const runs = [...this.#runs.values()];
    const found = new FoundMessages(this.#begunAt, countOnly ? [] : sort, runs, left.sort());
    if (found.total <= MOST_HITS) return found;
    throw tooMany(found.total, 'the broker keeps the order of', MOST_HITS);
  }

  async #names(): Promise<string[]> {
    const { mailboxes } = this.#params;
    if (Array.isArray(mailboxes)) return [...new Set(mailboxes.map(canonicalName))];
    let names: string[] = [];
    await this.#connections.each([mailboxes], ONE, this.#searchBy, async (connection, [set]) => {
      if (set !== undefined) names = await foldersOf(connection, set);
    });
    return names;
  }

  async #reuse(kept: FoundMessages, names: ReadonlySet<string>): Promise<void> {
    const stamped = kept.runs.filter(({ mailbox, stamp }) => stamp !== undefined && names.has(mailbox));
    const asking = this.#connections.each(stamped, STATES, this.#searchBy, async (connection, runs) => {
      if (!offersModseqs(connection)) return;
      const states = await statesOf(
        connection,
        runs.map(({ mailbox }) => mailbox),
      );
      for (const run of runs) {
        const state = states.get(run.mailbox);
        if (state && stampOf(state) === run.stamp) this.#runs.set(run.mailbox, run);
      }
    });
    await asking.catch((failure: unknown) => {
      if (!endsSearch(failure)) throw failure;
    });
  }

  /** @returns why some folders were not searched, beside those that were refused */
  async #search(names: readonly string[]): Promise<BrokerError | undefined> {
    const { filter, sort, countOnly } = this.#params;
    const question = { filter, sort: countOnly ? undefined : sort };
    const taker: Taker = {
      found: (run) => void this.#runs.set(run.mailbox, run),
      missing: (mailbox, error) => void this.#missing.set(mailbox, error),
      refused: (mailbox, error) => void this.#refused.set(mailbox, error),
      sorting: ({ mailbox, uids }) => this.#countSorted(mailbox, uids.length),
    };
    try {
      await this.#connections.each(names, PIECE, this.#searchBy, (connection, piece) =>
        searchFolders(connection, piece, question, taker),
      );
      return undefined;
    } catch (failure) {
      this.#context.signal.throwIfAborted();
      if (endsSearch(failure)) return failure;
      throw failure;
    }
  }

  /** @throws BrokerError TOO_LARGE */
  #countSorted(mailbox: string, hits: number): void {
    this.#sorting.set(mailbox, hits);
    let sum = 0;
    for (const each of this.#sorting.values()) sum += each;
    if (sum > SORTED_BY_BROKER) {
      throw tooMany(sum, 'this IMAP server leaves sorting to the broker, which takes', SORTED_BY_BROKER);
    }
  }
}

function endsSearch(failure: unknown): failure is BrokerError {
  return failure instanceof BrokerError && ending.has(failure.kind);
}

function tooMany(hits: number, what: string, most: number): BrokerError {
  return new BrokerError('TOO_LARGE', `filter: ${hits} hits, but ${what} ${most}.`, { field: 'filter' });
}
