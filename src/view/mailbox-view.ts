import { randomBytes } from 'node:crypto';
import { staysInReplaced } from '../imap/connection/capabilities.js';
import type { ImapConnection } from '../imap/connection/connection.js';
import type { FlagUpdate, Follower } from '../imap/connection/follower.js';
import type { SelectedMailbox } from '../imap/connection/selected-mailbox.js';
import type { Moment } from '../runtime/moment.js';
import { ChangeLog } from './change-log.js';
import { flagString } from './flag-strings.js';
import { KeptLists } from './lists/kept-lists.js';
import { type Member, Membership } from './membership.js';
import { OpenedFlags } from './opened-flags.js';
import { UidRanges } from './ranges.js';
import { Rows } from './rows.js';
import { isAsItWas, type SelectReport } from './select-report.js';
import { Conversations } from './threads/conversations.js';

/** Bytes of an entry of the change log, with half of the spare room of growing arrays. */
const CHANGE_BYTES = 12;
/** Bytes of a view without messages, with its reader. */
const EMPTY_BYTES = 2_700;

/** Distinguishes the views of this process from those of earlier ones. */
const here = randomBytes(4).toString('hex');
let made = 0;

/**
 * What the broker knows of a folder: exactly what the server told the session of the one connection that the view
 * follows, because two sessions learn of changes in different order. When that connection is gone, the view stays as it
 * is until it is placed on another connection: see `placeView`.
 */
export class MailboxView implements Follower {
  /** Unique for each view, so that a state shows its view. */
  readonly id: string;
  /** The name by which the folder is read. */
  name = '';
  readonly log = new ChangeLog();
  readonly rows = new Rows();
  /** Called when the server reports a change, before the view is confirmed. */
  onHeard: (() => void) | undefined;
  readonly members = new Membership((kind, uid) => this.#changed(kind, uid));
  /** Flags of messages that were opened and are not among the members. */
  readonly #opened = new OpenedFlags();
  #conversations: Conversations | undefined;
  #uidValidity: number | undefined;
  #uidNext: number | undefined;
  #stamp = 0;
  #arrangement = 0;
  /** Made when it is used: most folders are never sorted. */
  #lists: KeptLists | undefined;
  #learned = 0;
  /** {@link stamp} when the server last told its highest mod-sequence. */
  #placedStamp = -1;
  #mailboxId: string | undefined;
  /** All changes up to this mod-sequence are in the view. */
  #modseq: bigint | undefined;
  /** Highest mod-sequence since the last barrier: changes with lower ones may still come (RFC 7162 section 6). */
  #heardModseq: bigint | undefined;
  /** While the view is being placed on a selection: what the SELECT reported so far. */
  #selectReport: SelectReport | undefined;
  /** The connection that the view follows, or is being placed on. */
  #connection: ImapConnection | undefined;
  #disturbed = false;
  #unsure = false;
  #existsHeard = 0;
  #confirmed: Moment = { at: Number.NEGATIVE_INFINITY, date: 0 };
  #writtenAt = Number.NEGATIVE_INFINITY;

  constructor() {
    made += 1;
    this.id = `${here}${made.toString(36)}`;
  }

  /** Whether the view knows which folder it describes. */
  get placed(): boolean {
    return this.#uidValidity !== undefined;
  }

  get uidValidity(): number | undefined {
    return this.#uidValidity;
  }

  /** MAILBOXID (RFC 8474), where the server sends it. */
  get mailboxId(): string | undefined {
    return this.#mailboxId;
  }

  /** Whether the view is of the selected folder, not of another one with the same name. */
  isOf({ uidValidity, mailboxId }: Pick<SelectedMailbox, 'uidValidity' | 'mailboxId'>): boolean {
    return uidValidity === this.#uidValidity && mailboxId === this.#mailboxId;
  }

  /** The uid that the next message gets at least; undefined where the server does not say and no message is known. */
  get uidNext(): number | undefined {
    const { highest } = this.members;
    return highest > 0 ? Math.max(this.#uidNext ?? 0, highest + 1) : this.#uidNext;
  }

  /**
   * Another number whenever anything in the folder may have changed, flags of messages included that the view does not
   * know. The version of the log tells of known messages only.
   */
  get stamp(): number {
    return this.#stamp;
  }

  /** Another number whenever messages may have come or gone; where only flags changed it stays. */
  get arrangement(): number {
    return this.#arrangement;
  }

  /** How often {@link stamp} changed for the flags of a message that were asked for, and not known before. */
  get learned(): number {
    return this.#learned;
  }

  /** Found and sorted lists of the folder. */
  get lists(): KeptLists {
    this.#lists ??= new KeptLists();
    return this.#lists;
  }

  /** Forgets lists and conversations; they are found anew when they are asked for. */
  dropFound(): void {
    this.#lists = undefined;
    this.#conversations = undefined;
  }

  get modseq(): bigint | undefined {
    return this.#modseq;
  }

  /** The folder's highest mod-sequence, while nothing was heard of the folder since the server told that number. */
  get highestModseq(): bigint | undefined {
    return this.#stamp === this.#placedStamp ? this.#modseq : undefined;
  }

  get asOf(): Date {
    return new Date(this.#confirmed.date);
  }

  /** When the barrier began that last confirmed the view. */
  get confirmed(): Moment {
    return this.#confirmed;
  }

  /** Whether a write of this account after the last barrier may be missing from the view. */
  get outdated(): boolean {
    return this.#writtenAt >= this.#confirmed.at;
  }

  /**
   * Whether the server has told something since the last barrier that may be of another folder: some servers go on with
   * the folder that has taken the name of the selected one, and only a STATUS, which a barrier has, shows that.
   */
  get unsure(): boolean {
    return this.#unsure;
  }

  /** Whether the folder certainly has no message with this uid. */
  lacks(uid: number): boolean {
    const { base, uids, unknownOnTop } = this.members;
    const first = base === 0 ? 0 : (uids[0] ?? Number.POSITIVE_INFINITY);
    return unknownOnTop === 0 && uid >= first && this.members.flagsOf(uid) === undefined;
  }

  /** Flags as JSON of a known or opened message; undefined where the flags are not known. */
  flagsOf(uid: number): string | undefined {
    return this.members.flagsOf(uid) ?? this.#opened.of(uid);
  }

  /** Messages are about to be opened on the followed connection: the view keeps the flags that the server reports. */
  expectOpened(uids: readonly number[]): void {
    this.#opened.expect(uids.filter((uid) => this.members.flagsOf(uid) === undefined));
  }

  /** What is known of the folder's conversations; made when they are first asked for. */
  get conversations(): Conversations {
    this.#conversations ??= new Conversations();
    return this.#conversations;
  }

  /** Bytes in the heap; the sizes were measured: see the test. */
  get bytes(): number {
    const { members, rows, log } = this;
    const kept = rows.bytes + (this.#lists?.bytes ?? 0) + this.#opened.bytes + (this.#conversations?.bytes ?? 0);
    return EMPTY_BYTES + members.bytes + kept + log.length * CHANGE_BYTES;
  }

  /** The server confirmed the view by a barrier that began at `begun`. */
  confirm(begun: Moment): void {
    this.#confirmed = begun;
    this.#unsure = false;
    this.rows.forgetLabels();
    if (this.#modseq !== undefined) this.#modseq = this.#heardModseq ?? this.#modseq;
  }

  /** A request of this account has written; the followed connection may not have reported the change yet. */
  wrote(): void {
    this.#writtenAt = performance.now();
  }

  /** What the server reported is inconsistent: forgets all messages, except how many there are. */
  doubt(exists: number): void {
    this.#rearranged();
    // The server assigns no uid twice.
    this.#uidNext = this.uidNext;
    this.members.reset(exists);
    this.#opened.clear();
    this.#modseq = undefined;
    this.log.interrupt();
  }

  /** Empties the view and stops following: the server spoke of another folder, or the view is not needed any more. */
  abandon(): void {
    this.#connection?.unfollow(this);
    this.doubt(0);
    this.#uidValidity = undefined;
    this.#uidNext = undefined;
    this.#mailboxId = undefined;
    this.rows.clear();
    this.dropFound();
  }

  /**
   * Begins to place the view on a selection of this connection, and collects what the SELECT reports. The view stops
   * following its former connection, which would report the same changes again.
   */
  startPlacing(connection: ImapConnection): SelectReport {
    this.#connection?.unfollow(this);
    this.#connection = connection;
    this.#selectReport = { vanished: new UidRanges(), flags: new Map() };
    this.#existsHeard = 0;
    return this.#selectReport;
  }

  /** The SELECT is done: from now on each message that is added or expunged disturbs the placing. */
  settleOn(): void {
    // A second EXISTS came with the response to the SELECT already.
    this.#disturbed = this.#existsHeard > 1;
  }

  /** Whether the folder changed since the SELECT, so that fetched data may not fit together. */
  get disturbed(): boolean {
    return this.#disturbed;
  }

  /** Starts over with only the message count: the folder is another one, or nothing known of it can be reused. */
  begin(selected: SelectedMailbox): void {
    const { uidValidity, uidNext, mailboxId, exists, highestModseq } = selected;
    if (!isAsItWas(this, selected)) this.#rearranged();
    if (this.#uidValidity !== undefined) this.log.interrupt();
    if (!this.isOf(selected)) {
      this.rows.clear();
      this.dropFound();
    }
    this.#uidValidity = uidValidity;
    this.#uidNext = uidNext;
    this.#mailboxId = mailboxId;
    this.members.reset(exists);
    this.#opened.clear();
    this.#place(highestModseq);
  }

  /** The folder is the known one: applies the changes since then. */
  resume(
    { exists, uidNext, highestModseq }: SelectedMailbox,
    changes: { removed: Iterable<number>; flags: ReadonlyMap<number, string>; added: readonly Member[] },
    report?: SelectReport,
  ): void {
    this.#resumeOpened(report);
    // Equal mod-sequences show that no flag has changed, and nothing new came; equal counts that nothing is gone.
    const same = highestModseq !== undefined && highestModseq === this.#modseq && exists === this.members.exists;
    if (!same) this.#stamp += 1;
    const removed = [...changes.removed];
    if (exists !== this.members.exists || removed.length > 0 || changes.added.length > 0) this.#arrangement += 1;
    this.#uidNext = uidNext ?? this.#uidNext;
    this.members.renumber();
    this.members.removeAll(removed);
    for (const [uid, flags] of changes.flags)
      if (this.members.flagsOf(uid) !== undefined) this.members.flag(0, uid, flags);
    this.members.addNewest(changes.added);
    this.members.settle(exists);
    this.#place(highestModseq);
  }

  /** @param report all changes of all messages, where the server reports them (QRESYNC) */
  #resumeOpened(report: SelectReport | undefined): void {
    if (report) this.#opened.vanished(report.vanished);
    else this.#opened.clear();
    for (const [uid, flags] of report?.flags ?? []) this.#opened.report(uid, flags);
  }

  /** Forgets all but the newest messages, at most `most`. */
  truncate(most: number): void {
    const left = this.members.truncate(most);
    if (left.length === 0) return;
    for (const uid of left) this.rows.remove(uid);
    // Clients that have listed the forgotten messages would not learn of their changes.
    this.log.interrupt();
  }

  onExists(count: number): void {
    this.#existsHeard += 1;
    this.onHeard?.();
    this.#noteNews();
    // What is told while the view is being placed is no news: the placing finds out what has changed.
    if (this.#selectReport) this.#disturbed = true;
    else {
      if (count !== this.members.exists) this.#rearranged();
      if (!this.members.announce(count)) this.doubt(count);
    }
  }

  onExpunge(seq: number): void {
    this.onHeard?.();
    this.#noteNews();
    if (this.#selectReport) this.#disturbed = true;
    else {
      this.#rearranged();
      // The sequence number does not show which of the unknown messages is gone.
      if (!this.members.knows(seq)) this.#opened.clear();
      if (!this.members.expunge(seq)) this.doubt(this.members.exists);
    }
  }

  onVanished(uids: string, earlier: boolean): void {
    this.onHeard?.();
    this.#noteNews();
    if (this.#selectReport && earlier) this.#selectReport.vanished.add(uids);
    else if (this.#selectReport) this.#disturbed = true;
    else if (!earlier) {
      this.#rearranged();
      const gone = new UidRanges();
      gone.add(uids);
      this.#opened.vanished(gone);
      if (gone.full || !this.members.vanish(gone)) this.doubt(Math.max(0, this.members.exists - gone.size));
    }
  }

  onFlags({ seq, uid, flags, modseq }: FlagUpdate): void {
    this.onHeard?.();
    if (modseq !== undefined && (this.#heardModseq === undefined || modseq > this.#heardModseq)) {
      this.#heardModseq = modseq;
    }
    if (!this.#selectReport) this.#noteFlags(seq, uid, flagString(flags), modseq);
    // Which message the sequence number means is not known before the view is placed.
    else if (uid === undefined) this.#disturbed = true;
    // The server reports all messages that changed; the view may know few of them.
    else if (this.flagsOf(uid) !== undefined) this.#selectReport.flags.set(uid, flagString(flags));
  }

  #noteFlags(seq: number, uid: number | undefined, flags: string, modseq: bigint | undefined): void {
    let news: 'learned' | 'changed' | 'same' | 'unknown' = this.members.flag(seq, uid, flags);
    if (uid !== undefined) {
      const opened = this.#opened.report(uid, flags);
      if (news === 'unknown') news = opened;
    } else if (!this.members.knows(seq)) this.#opened.clear();
    // The same flags again are no news, unless the server counts them as a change.
    if (news === 'same' && (modseq === undefined || (this.#modseq !== undefined && modseq <= this.#modseq))) return;
    this.#stamp += 1;
    if (news === 'learned') this.#learned += 1;
  }

  /** Messages may have come or gone. */
  #rearranged(): void {
    this.#stamp += 1;
    this.#arrangement += 1;
  }

  /** The placing of a view ends with a confirmation: what is told meanwhile is of the folder that was selected. */
  #noteNews(): void {
    if (!this.#selectReport && this.#connection && staysInReplaced(this.#connection)) this.#unsure = true;
  }

  onLost(): void {
    this.#connection = undefined;
    this.#selectReport = undefined;
    this.#heardModseq = undefined;
  }

  #place(highestModseq: bigint | undefined): void {
    this.#selectReport = undefined;
    this.#placedStamp = this.#stamp;
    this.#modseq = highestModseq;
    this.#heardModseq = undefined;
  }

  #changed(kind: 'added' | 'changed' | 'removed', uid: number): void {
    if (kind === 'removed') {
      this.rows.remove(uid);
      this.#conversations?.nodes.remove(uid);
      // The message may have been opened before it became a member.
      this.#opened.remove(uid);
    }
    // Messages that a fetch makes known are no news.
    if (kind === 'changed') this.#noteNews();
    this.log.note(kind, uid);
  }
}
