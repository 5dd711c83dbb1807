import { fieldsOf } from '../../../imap/messages/folders/folder-keys.js';
import type { FoundMessages, Place, Run } from '../../../imap/messages/folders/found-messages.js';
import { fetchShares, type Share } from '../../../imap/messages/folders/page-rows.js';
import { addRows, fetchNextKeys } from '../../../imap/messages/folders/search-folders.js';
import { type SortKey, sortKey } from '../../../imap/mime/sort-key.js';
import type { Result } from '../../../protocol/contract.js';
import { BrokerError } from '../../../protocol/errors.js';
import type { Field, ListField, MessageSummary } from '../../../protocol/rows.js';
import type { PieceSize, SearchConnections } from './search-connections.js';
import { type SearchCursor, shortKey, tagOf } from './search-cursor.js';

type Row = Result<'message.search'>['messages'][number];

/** Folders in one piece of work: one FETCH of few messages in each. */
const PIECE: PieceSize = { first: 25, most: 50 };
/** Hits of a folder whose keys are fetched at once: at least, and at most. */
const KEYS = { least: 8, most: 2_000 };
/** Places that are looked through at once for where an earlier page ended. */
const LOOK = 500;

export interface PageOptions {
  /** `Date.now()` by which the order of the page has to be known, and its rows. */
  searchBy: number;
  answerBy: number;
  /** Notes a folder whose messages cannot be shown. */
  leaveOut(mailbox: string): void;
}

/** A page, where the next one begins, and the last message before that; without `last` it is the last page. */
export interface Page {
  messages: Row[];
  to: number;
  last: Omit<SearchCursor, 'order' | 'position'> | undefined;
}

/** Takes pages from what a search has found. */
export class FoundPages {
  readonly #found: FoundMessages;
  readonly #fields: readonly Field[];
  readonly #connections: SearchConnections;
  readonly #options: PageOptions;

  constructor(found: FoundMessages, fields: readonly Field[], connections: SearchConnections, options: PageOptions) {
    this.#found = found;
    this.#fields = [...new Set(fields)];
    this.#connections = connections;
    this.#options = options;
  }

  async page(from: number, limit: number): Promise<Page> {
    const found = this.#found;
    const ahead = from === 0 && found.total <= limit ? await this.#allAtOnce() : undefined;
    await this.#merge(from + limit);
    const places = await found.places(from, from + limit);
    const rows = ahead ?? (await this.#rowsOf(places, this.#fields));
    const messages = places.flatMap((place) => {
      const row = this.#fields.length > 0 ? rows.get(place.run)?.get(place.uid) : { uid: place.uid };
      const { mailbox, uidValidity } = place.run;
      return row ? [{ mailbox, uidValidity, ...row }] : [];
    });
    const to = from + places.length;
    const end = places.at(-1);
    if (!end || to >= found.total) return { messages, to, last: undefined };
    const { run, uid } = end;
    const keys = found.keysOf(end) ?? this.#keysIn(rows.get(run)?.get(uid));
    return { messages, to, last: { folder: tagOf(run.mailbox), uidValidity: run.uidValidity, uid, keys } };
  }

  /**
   * Fetches the rows of all hits, and takes the sort keys from them: one round trip less where all are on one page.
   * @returns undefined where the keys are known
   */
  async #allAtOnce(): Promise<Map<Run, Map<number, MessageSummary>> | undefined> {
    const { sort, runs } = this.#found;
    const open = runs.filter(({ uids, columns }) => uids.length > (columns[0]?.length ?? 0));
    if (this.#fields.length === 0 || open.length < 2) return undefined;
    const places = runs.flatMap((run) => Array.from(run.uids, (uid) => ({ run, uid })));
    const rows = await this.#rowsOf(places, [...new Set([...this.#fields, ...fieldsOf(sort)])]);
    for (const run of open) addRows(run, rows.get(run), sort);
    const added = fieldsOf(sort).filter((field) => !this.#fields.includes(field));
    for (const byUid of rows.values())
      for (const row of byUid.values()) for (const member of added) without(row, member);
    return rows;
  }

  /** Place behind the last message of a page that was taken from another order. */
  async behind(cursor: SearchCursor): Promise<number> {
    const found = this.#found;
    const folder = found.runs.findIndex(({ mailbox }) => tagOf(mailbox) === cursor.folder);
    const { keys, uid, uidValidity } = cursor;
    const isLast = ({ run, uid: other }: Place) =>
      other === uid && run === found.runs[folder] && run.uidValidity === uidValidity;
    for (let from = 0; from < found.total; ) {
      // The message is most likely near its old place.
      const to = Math.max(from + LOOK, cursor.position + LOOK);
      await this.#merge(to);
      const places = await found.places(from, to);
      if (places.length === 0) break;
      const same = places.findIndex(isLast);
      if (same >= 0) return from + same + 1;
      const known = keys ? await this.#withKeys(places) : [];
      const next = known.findIndex((place) => found.isBehind(place, { keys, folder, uidValidity, uid }, shortKey));
      if (next >= 0) return from + next;
      from += places.length;
    }
    return keys ? found.total : Math.min(cursor.position, found.total);
  }

  /** The hits of one folder alone are merged without keys: they are fetched where places have to be compared. */
  async #withKeys(places: Place[]): Promise<Place[]> {
    for (const run of new Set(places.map((place) => place.run))) {
      while (places.some((place) => place.run === run && !this.#found.keysOf(place))) {
        const before = run.uids.length + (run.columns[0]?.length ?? 0);
        await this.#fetchKeys([run], KEYS.most);
        if (before === run.uids.length + (run.columns[0]?.length ?? 0)) return places;
      }
    }
    return places;
  }

  /** Merges so many places, and fetches the keys that it takes. */
  async #merge(to: number): Promise<void> {
    const { total } = this.#found;
    for (;;) {
      const wanting = await this.#found.extend(to);
      if (wanting.length === 0) return;
      const share = Math.ceil((2 * Math.min(to, total)) / wanting.length);
      await this.#fetchKeys(wanting, Math.min(KEYS.most, Math.max(KEYS.least, share)));
    }
  }

  async #fetchKeys(runs: Run[], count: number): Promise<void> {
    const { searchBy, leaveOut } = this.#options;
    const before = new Map(runs.map((run) => [run, run.columns[0]?.length ?? 0]));
    const fetching = this.#connections.each(runs, PIECE, searchBy, async (connection, piece) => {
      const refused = await fetchNextKeys(connection, piece, this.#found.sort, count);
      for (const mailbox of refused.keys()) leaveOut(mailbox);
    });
    await passed(fetching);
    for (const [run, length] of before) {
      // Hits without keys have no place: those of folders that could not be asked any more are left out.
      if ((run.columns[0]?.length ?? 0) > length || run.uids.length <= length) continue;
      run.uids = run.uids.slice(0, length);
      run.stamp = undefined;
      leaveOut(run.mailbox);
    }
  }

  async #rowsOf(
    places: readonly Pick<Place, 'run' | 'uid'>[],
    fields: readonly Field[],
  ): Promise<Map<Run, Map<number, MessageSummary>>> {
    const { answerBy, leaveOut } = this.#options;
    const rows = new Map<Run, Map<number, MessageSummary>>();
    if (fields.length === 0) return rows;
    const shares = new Map<Run, Share>();
    for (const { run, uid } of places) {
      const share = shares.get(run) ?? { mailbox: run.mailbox, uidValidity: run.uidValidity, uids: [] };
      shares.set(run, share);
      share.uids.push(uid);
    }
    const fetching = this.#connections.each([...shares], PIECE, answerBy, async (connection, piece) => {
      const runs = new Map(piece.map(([run, share]) => [share, run]));
      const refused = await fetchShares(connection, [...runs.keys()], fields, (share, some) => {
        const run = runs.get(share);
        if (run) rows.set(run, new Map(some.map((row) => [row.uid, row])));
      });
      for (const mailbox of refused) leaveOut(mailbox);
    });
    if (await passed(fetching)) for (const run of shares.keys()) if (!rows.has(run)) leaveOut(run.mailbox);
    return rows;
  }

  #keysIn(row: MessageSummary | undefined): SortKey[] | undefined {
    const { sort } = this.#found;
    if (!row || !fieldsOf(sort).every((field) => this.#fields.includes(field))) return undefined;
    return sort.map(({ by }) => sortKey(row, by));
  }
}

/** Takes a member out of a row that was not asked for. */
function without(row: MessageSummary, member: ListField): void {
  delete row[member];
  const left = row.unreadable?.filter((name) => name !== member);
  if (left && left.length > 0) row.unreadable = left;
  else delete row.unreadable;
}

/** Whether work ended because its time had passed, or its connections were lost. */
async function passed(work: Promise<void>): Promise<boolean> {
  try {
    await work;
    return false;
  } catch (failure) {
    if (failure instanceof BrokerError && (failure.kind === 'DEADLINE' || failure.kind === 'CONNECTION_LOST'))
      return true;
    throw failure;
  }
}
