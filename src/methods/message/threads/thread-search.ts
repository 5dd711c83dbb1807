import type { ImapConnection } from '../../../imap/connection/connection.js';
import {
  type Linked,
  type SearchedFolder,
  type ServerThread,
  searchLinked,
  searchThread,
} from '../../../imap/messages/threads/linked.js';
import { type FolderUids, fetchLinkedEach, searchEach } from '../../../imap/messages/threads/linked-folders.js';
import type { Field } from '../../../protocol/rows.js';
import { inPieces } from '../../support/in-pieces.js';

/** Messages of a conversation besides the one that was asked for. */
const MOST_MESSAGES = 499;
/** Message ids that are followed. */
const MOST_IDS = 200;
/** How often the folders are searched for ids that the search before found. */
const ROUNDS = 3;
/** Folders in one packet. */
const PIECE = 25;

/** A message in a folder. */
export interface Found extends Linked {
  mailbox: string;
  uidValidity: number;
}

/** A conversation that is gathered over folders: {@link ThreadSearch.messages} has what was found by then. */
export class ThreadSearch {
  readonly #connection: ImapConnection;
  readonly #fields: readonly Field[];
  readonly #folders: readonly string[];
  readonly #own: Found;
  readonly #found = new Map<string, Map<number, Found>>();
  readonly #ids = new Set<string>();
  /** By folder, how many of the ids it was searched for. */
  readonly #searched = new Map<string, number>();
  readonly #refused = new Set<string>();
  #finished = false;
  #more = false;

  /** @param own the message whose conversation it is */
  constructor(connection: ImapConnection, folders: readonly string[], fields: readonly Field[], own: Found) {
    this.#connection = connection;
    this.#folders = folders;
    this.#fields = fields;
    this.#own = own;
    if (folders.includes(own.mailbox)) this.#add(own.mailbox, own.uidValidity, [own]);
  }

  /** Whether a bound was met. */
  get more(): boolean {
    return this.#more;
  }

  /** Folders that were not searched to the end: refused, or not reached so far. */
  get incomplete(): string[] {
    const isOpen = (folder: string) => (this.#searched.get(folder) ?? -1) < this.#ids.size;
    return this.#folders.filter((folder) => this.#refused.has(folder) || (!this.#finished && isOpen(folder)));
  }

  /** What was found so far, by date, oldest first. */
  get messages(): Found[] {
    const all = [...this.#found.values()].flatMap((byUid) => [...byUid.values()]);
    return all.sort(byDate);
  }

  /** Searches all folders for the conversation that the server names. */
  async byServer(thread: ServerThread): Promise<void> {
    await this.#search(
      (folder) => searchThread(this.#connection, thread, folder),
      () => true,
    );
    this.#finished = true;
  }

  /** Searches all folders for the messages that headers link to the first one, and for those that are linked to them. */
  async byHeaders(): Promise<void> {
    this.#learn(this.#own);
    let from = 0;
    for (let round = 0; round < ROUNDS && from < this.#ids.size; round += 1) {
      const fresh = [...this.#ids].slice(from);
      from = this.#ids.size;
      await this.#search(
        (folder) => searchLinked(this.#connection, fresh, folder),
        // A server looks for parts of a header, and may do so carelessly.
        ({ links }) => this.#isLinked(links),
      );
    }
    if (from < this.#ids.size) this.#more = true;
    this.#finished = true;
  }

  /**
   * Searches the folders, a few in each packet, and fetches what is found there.
   * @param begin begins a search of the folder that is selected then
   */
  async #search(
    begin: (folder: SearchedFolder) => Promise<number[]>,
    belongs: (row: Linked) => boolean,
  ): Promise<void> {
    const ids = this.#ids.size;
    for (const piece of inPieces(this.#folders, PIECE)) {
      const open = piece.filter((folder) => !this.#refused.has(folder));
      const found = await searchEach(this.#connection, open, begin);
      const shares = new Map<string, FolderUids>();
      for (const [folder, { uidValidity, uids }] of found) {
        const unknown = this.#unknown(folder, uidValidity, uids);
        if (unknown === undefined) this.#refused.add(folder);
        else if (unknown.length > 0) shares.set(folder, { uidValidity, uids: unknown });
      }
      const take = (folder: string, rows: readonly Linked[]) => {
        const wanted = rows.filter(belongs);
        this.#add(folder, shares.get(folder)?.uidValidity ?? 0, wanted);
        for (const row of wanted) this.#learn(row);
      };
      const refused = await fetchLinkedEach(this.#connection, shares, this.#fields, take);
      for (const folder of open) {
        if (!found.has(folder) || refused.has(folder)) this.#refused.add(folder);
        else this.#searched.set(folder, ids);
      }
    }
  }

  /** The newest hits that have no row yet, as many as there is room for; undefined in a folder that was replaced. */
  #unknown(folder: string, uidValidity: number, uids: readonly number[]): number[] | undefined {
    const known = this.#found.get(folder);
    // A folder that was replaced meanwhile has other messages.
    for (const { uidValidity: before } of known?.values() ?? []) if (before !== uidValidity) return undefined;
    const unknown = uids.filter((uid) => !known?.has(uid)).sort((a, b) => b - a);
    const room = this.#room;
    if (unknown.length > room) this.#more = true;
    return unknown.slice(0, room);
  }

  get #room(): number {
    let count = 0;
    for (const byUid of this.#found.values()) count += byUid.size;
    const isIn = this.#found.get(this.#own.mailbox)?.has(this.#own.summary.uid) ?? false;
    return Math.max(0, MOST_MESSAGES + Number(isIn) - count);
  }

  /** Folders of one packet are fetched without regard to each other: what there is no room for is left out here. */
  #add(folder: string, uidValidity: number, rows: readonly Linked[]): void {
    const byUid = this.#found.get(folder) ?? new Map<number, Found>();
    this.#found.set(folder, byUid);
    const room = this.#room;
    if (rows.length > room) this.#more = true;
    for (const row of rows.slice(0, room)) byUid.set(row.summary.uid, { ...row, mailbox: folder, uidValidity });
  }

  #isLinked({ id, references }: Linked['links']): boolean {
    return (id !== null && this.#ids.has(id)) || references.some((reference) => this.#ids.has(reference));
  }

  #learn({ links: { id, references } }: Linked): void {
    for (const link of [...references, ...(id === null ? [] : [id])]) {
      if (this.#ids.size < MOST_IDS) this.#ids.add(link);
      else if (!this.#ids.has(link)) this.#more = true;
    }
  }
}

function byDate(a: Found, b: Found): number {
  return (
    a.date - b.date || (a.mailbox < b.mailbox ? -1 : Number(a.mailbox > b.mailbox)) || a.summary.uid - b.summary.uid
  );
}
