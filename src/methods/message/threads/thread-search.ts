import type { ImapConnection } from '../../../imap/connection/connection.js';
import { isRefusal } from '../../../imap/mailboxes/mailbox-status.js';
import {
  fetchLinked,
  type Linked,
  type ServerThread,
  searchLinked,
  searchThread,
} from '../../../imap/messages/threads/linked.js';
import type { Field } from '../../../protocol/rows.js';

/** Messages of a conversation besides the one that was asked for. */
const MOST_MESSAGES = 499;
/** Message ids that are followed. */
const MOST_IDS = 200;
/** How often the folders are searched for ids that the search before found. */
const ROUNDS = 3;

/** A message in a folder. */
export interface Found extends Linked {
  mailbox: string;
  uidValidity: number;
}

/** A conversation that is gathered folder by folder: {@link ThreadSearch.run} may be given up at any time. */
export class ThreadSearch {
  readonly #connection: ImapConnection;
  readonly #fields: readonly Field[];
  readonly #folders: readonly string[];
  readonly #found = new Map<string, Map<number, Found>>();
  readonly #ids = new Set<string>();
  /** By folder, how many of the ids it was searched for. */
  readonly #searched = new Map<string, number>();
  readonly #refused = new Set<string>();
  #finished = false;
  #more = false;

  constructor(connection: ImapConnection, folders: readonly string[], fields: readonly Field[]) {
    this.#connection = connection;
    this.#folders = folders;
    this.#fields = fields;
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
    for (const folder of this.#inTurn()) {
      const done = await this.#in(folder, async (uidValidity) => {
        const uids = await searchThread(this.#connection, thread);
        this.#add(folder, uidValidity, await this.#fetch(folder, uids));
      });
      if (done) this.#searched.set(folder, 0);
      else this.#refused.add(folder);
    }
    this.#finished = true;
  }

  /** Searches all folders for the messages that headers link to this one, and for those that are linked to them. */
  async byHeaders(seed: Linked): Promise<void> {
    this.#learn(seed);
    for (let round = 0; round < ROUNDS; round += 1) {
      for (const folder of this.#inTurn()) {
        const ids = [...this.#ids];
        const fresh = ids.slice(this.#searched.get(folder) ?? 0);
        if (fresh.length === 0 || this.#refused.has(folder)) continue;
        const done = await this.#in(folder, async (uidValidity) => {
          const uids = await searchLinked(this.#connection, fresh);
          const rows = await this.#fetch(folder, uids);
          // A server looks for parts of a header, and may do so carelessly.
          const linked = rows.filter(({ links }) => this.#isLinked(links));
          this.#add(folder, uidValidity, linked);
          for (const row of linked) this.#learn(row);
        });
        if (done) this.#searched.set(folder, ids.length);
        else this.#refused.add(folder);
      }
    }
    if (this.incomplete.some((folder) => !this.#refused.has(folder)) && this.#ids.size > 0) this.#more = true;
    this.#finished = true;
  }

  /** The folders, the selected one first: to stay in it saves a round trip. */
  #inTurn(): string[] {
    const selected = this.#connection.selected?.path;
    return this.#folders.toSorted((a, b) => Number(b === selected) - Number(a === selected));
  }

  /** @returns false where the server refuses the folder */
  async #in(folder: string, work: (uidValidity: number) => Promise<void>): Promise<boolean> {
    try {
      const { uidValidity } = await this.#connection.select(folder);
      // A folder that was replaced meanwhile has other messages.
      for (const { uidValidity: before } of this.#found.get(folder)?.values() ?? [])
        if (before !== uidValidity) return false;
      await work(uidValidity);
      return true;
    } catch (failure) {
      if (!this.#connection.usable || !isRefusal(failure)) throw failure;
      return false;
    }
  }

  async #fetch(folder: string, uids: readonly number[]): Promise<Linked[]> {
    const known = this.#found.get(folder);
    const unknown = uids.filter((uid) => !known?.has(uid)).sort((a, b) => b - a);
    const room = this.#room;
    if (unknown.length > room) this.#more = true;
    // The newest, of more than there is room for.
    return fetchLinked(this.#connection, unknown.slice(0, room), this.#fields);
  }

  get #room(): number {
    let count = 0;
    for (const byUid of this.#found.values()) count += byUid.size;
    return Math.max(0, MOST_MESSAGES - count);
  }

  #add(folder: string, uidValidity: number, rows: readonly Linked[]): void {
    const byUid = this.#found.get(folder) ?? new Map<number, Found>();
    this.#found.set(folder, byUid);
    for (const row of rows) byUid.set(row.summary.uid, { ...row, mailbox: folder, uidValidity });
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
