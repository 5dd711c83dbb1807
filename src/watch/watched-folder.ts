import type { ImapConnection } from '../imap/connection/connection.js';
import { isOutOfReach } from '../imap/connection/refused-folder.js';
import type { Job } from '../pool/job.js';
import { BrokerError } from '../protocol/errors.js';
import { protocolLimits } from '../protocol/limits.js';
import type { StatusCounts } from '../protocol/models.js';
import type { Field, MessageSummary } from '../protocol/rows.js';
import { fetchAllNew, fetchMissing, fetchOlder } from '../view/fetch-members.js';
import type { MailboxReader } from '../view/mailbox-reader.js';
import type { MailboxView } from '../view/mailbox-view.js';
import { stateOf } from '../view/state.js';
import type { AccountHandle, Tell } from './types.js';

const { eventMessages, eventFlags, uidsPerRequest } = protocolLimits;
/** In a larger folder only the newest messages are watched; changes of older ones show in the counts alone. */
const MOST_WATCHED = 20_000;
/** Most characters of the rows of one event: attachments and header lines may be long. */
const ROWS_CHARACTERS = 512 * 1024;
/** Most tries when messages vanish while they are fetched. */
const TRIES = 8;

/** A watched folder: reports what its view has learned since the last report. */
export class WatchedFolder {
  readonly reader: MailboxReader;
  readonly #tell: Tell;
  readonly #fields: () => readonly Field[];
  readonly #unpin: () => void;
  /** Version of the view's change log up to which changes were reported. */
  #version = 0;
  /** UIDVALIDITY of the reported folder; undefined before the watch begins and while the folder does not exist. */
  #uidValidity: number | undefined;
  #counts = '';

  /**
   * @param pinned the folder's reader, kept in memory until it is unpinned
   * @param fields returns the members of the rows of new messages
   */
  constructor(pinned: { reader: MailboxReader; unpin: () => void }, tell: Tell, fields: () => readonly Field[]) {
    this.#fields = fields;
    this.reader = pinned.reader;
    this.#unpin = pinned.unpin;
    this.#tell = tell;
    // Where the server does not report changes, all flags are fetched again after the connection was lost.
    this.reader.mostFlags = MOST_WATCHED;
  }

  get mailbox(): string {
    return this.reader.mailbox;
  }

  /** The current state of the folder; null when there is no such folder. */
  get now(): { uidValidity: number; state: string } | null {
    const uidValidity = this.#uidValidity;
    return uidValidity === undefined ? null : { uidValidity, state: stateOf(this.reader.view) };
  }

  /** Whether the view holds changes that were not reported yet. */
  get hasNews(): boolean {
    const { view } = this.reader;
    return view.placed && (view.members.unknownOnTop > 0 || !this.#isTold(view));
  }

  /**
   * Has the server confirm the folder and reports what has changed.
   * @throws BrokerError what reading throws, unless the folder is out of reach: then the folder is reported as gone
   */
  async sync(account: AccountHandle, job: Pick<Job, 'signal' | 'deadlineAt'>): Promise<void> {
    try {
      await this.reader.read<boolean>(account, {
        key: 'watch',
        maxAgeMs: 0,
        job: { label: 'watch', effect: 'read', mailbox: this.mailbox, ...job },
        fromMemory: (view) => (this.#isReady(view) ? this.#report(view) : undefined),
        fetch: async (view, connection) => {
          await this.#prepare(view, connection);
          return this.#report(view);
        },
      });
    } catch (error) {
      if (!isOutOfReach(error)) throw error;
      if (this.#uidValidity !== undefined) this.#tell({ type: 'reset', mailbox: this.mailbox });
      this.#uidValidity = undefined;
    }
  }

  /** Reports the changes that the view holds. @returns false when some data must be fetched from the server first */
  tellNews(): boolean {
    const { view } = this.reader;
    if (this.hasNews && !this.#isReady(view)) return false;
    if (this.hasNews) this.#report(view);
    return true;
  }

  close(): void {
    this.reader.liveness = undefined;
    this.reader.onConfirmed = undefined;
    this.reader.onWritten = undefined;
    this.reader.mostFlags = undefined;
    this.reader.view.onHeard = undefined;
    this.#unpin();
  }

  #isTold({ log, uidValidity }: MailboxView): boolean {
    return log.version === this.#version && uidValidity === this.#uidValidity;
  }

  /** Whether everything that is to be reported is in memory. */
  #isReady(view: MailboxView): boolean {
    if (!view.placed || view.members.unknownOnTop > 0 || !isWhole(view)) return false;
    return this.#newest(view).every((uid) => view.rows.has(uid, this.#fields()));
  }

  async #prepare(view: MailboxView, connection: ImapConnection): Promise<void> {
    for (let tries = 0; tries < TRIES && connection.isFollowedBy(view); ) {
      await fetchAllNew(view, connection);
      const missing = this.#newest(view).filter((uid) => !view.rows.has(uid, this.#fields()));
      let progress = true;
      if (!isWhole(view)) progress = await fetchOlder(view, connection, view.members.base, []);
      else if (missing.length > 0) progress = await fetchMissing(view, connection, missing, this.#fields());
      else return;
      if (!progress) tries += 1;
    }
    throw new BrokerError('CONNECTION_LOST', 'The watched folder was deleted or replaced.');
  }

  /** New messages that are reported with their rows. */
  #newest(view: MailboxView): number[] {
    if (view.uidValidity !== this.#uidValidity) return [];
    return (view.log.since(this.#version)?.added ?? []).slice(-eventMessages);
  }

  /** Reports what has changed since the last report. Synchronous: no change can come between reading and noting. */
  #report(view: MailboxView): boolean {
    const { uidValidity = 0, log } = view;
    const first = this.#uidValidity === undefined;
    const changes = uidValidity === this.#uidValidity ? log.since(this.#version) : undefined;
    this.#version = log.version;
    if (!changes) {
      this.#uidValidity = uidValidity;
      if (!first || this.#counts !== '') this.#tell({ type: 'reset', mailbox: this.mailbox, uidValidity });
    } else {
      this.#tellChanges(view, changes.added, changes.changed, changes.removed);
    }
    this.#tellCounts(view, first);
    return true;
  }

  #tellChanges(view: MailboxView, added: number[], changed: number[], removed: number[]): void {
    const { mailbox } = this;
    const { uidValidity = 0 } = view;
    if (added.length > 0) {
      const fields = this.#fields();
      const messages = newestRows(view, added.slice(-eventMessages), fields);
      const more = added.length > messages.length ? { more: true } : {};
      this.#tell({ type: 'new', mailbox, uidValidity, messages, ...more }, fields);
    }
    for (const uids of chunks(changed, eventFlags)) {
      this.#tell({ type: 'changed', mailbox, uidValidity, messages: uids.map((uid) => flagsEntry(view, uid)) });
    }
    for (const uids of chunks(removed, uidsPerRequest)) this.#tell({ type: 'vanished', mailbox, uidValidity, uids });
  }

  #tellCounts(view: MailboxView, first: boolean): void {
    const counts = viewCounts(view);
    const text = JSON.stringify(counts);
    if (text === this.#counts) return;
    this.#counts = text;
    if (!first) this.#tell({ type: 'counts', mailbox: this.mailbox, counts });
  }
}

/** Whether the uid and the flags of every watched message are known. */
function isWhole({ members: { base, uids } }: MailboxView): boolean {
  return base === 0 || uids.length >= MOST_WATCHED;
}

/** Rows of the newest messages, as far as they are known and as many as one event takes. */
function newestRows(view: MailboxView, uids: readonly number[], fields: readonly Field[]): MessageSummary[] {
  const rows: string[] = [];
  let left = ROWS_CHARACTERS;
  for (const uid of uids.toReversed()) {
    const row = view.rows.has(uid, fields) ? view.rows.json(uid, fields, view.members.flagsOf(uid) ?? '[]') : '';
    left -= row.length;
    if (row === '' || left < 0) break;
    rows.push(row);
  }
  return rows.reverse().map((row) => JSON.parse(row) as MessageSummary);
}

function flagsEntry(view: MailboxView, uid: number): { uid: number; flags: string[] } {
  return { uid, flags: JSON.parse(view.members.flagsOf(uid) ?? '[]') as string[] };
}

/** Counts as the view knows them; in a folder that is only partly known, `unseen` counts the known messages. */
function viewCounts({ members, uidValidity = 0 }: MailboxView): StatusCounts {
  return { messages: members.exists, unseen: members.unseen, uidNext: null, uidValidity, size: null };
}

function* chunks(uids: readonly number[], size: number): Generator<number[]> {
  for (let from = 0; from < uids.length; from += size) yield uids.slice(from, from + size);
}
