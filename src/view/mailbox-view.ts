import { randomBytes } from 'node:crypto';
import type { ImapConnection } from '../imap/connection/connection.js';
import type { FlagUpdate, Follower } from '../imap/connection/follower.js';
import type { SelectedMailbox } from '../imap/connection/selected-mailbox.js';
import { ChangeLog } from './change-log.js';
import { flagString } from './flag-strings.js';
import { type Member, Membership } from './membership.js';
import { OpenedFlags } from './opened-flags.js';
import { UidRanges } from './ranges.js';
import { Rows } from './rows.js';

/** Bytes of an entry of the log of changes, with half of the room that arrays grow by. */
const CHANGE_BYTES = 12;
/** Bytes of a view without messages, with its reader. */
const EMPTY_BYTES = 2_700;

/** What a SELECT that goes on from a known state told. */
export interface Told {
  /** By VANISHED (EARLIER). */
  vanished: UidRanges;
  /** Of messages that the view knows, as JSON, by uid. */
  flags: Map<number, string>;
}

/** A moment, by both clocks. */
export interface Moment {
  /** `performance.now()` */
  at: number;
  /** `Date.now()` */
  date: number;
}

export const now = (): Moment => ({ at: performance.now(), date: Date.now() });

/** Tells the views of this process from those of the one before. */
const here = randomBytes(4).toString('hex');
let made = 0;

/**
 * What the broker knows of a folder. It is exactly what the session of one connection was told, the one that it follows,
 * for two sessions learn of changes in different order. Without one it rests until it is placed on another: see
 * `placeView`.
 */
export class MailboxView implements Follower {
  /** Another one for each view, so that a state tells which it is of. */
  readonly id: string;
  readonly log = new ChangeLog();
  readonly rows = new Rows();
  /** Called when the server tells of a change, before it has confirmed it. */
  onHeard: (() => void) | undefined;
  readonly members = new Membership((kind, uid) => this.#changed(kind, uid));
  /** Of messages that were opened and are not among the members. */
  readonly #opened = new OpenedFlags();
  #uidValidity: number | undefined;
  #mailboxId: string | undefined;
  /** All changes up to it are in the view. */
  #modseq: bigint | undefined;
  /** Heard since the last barrier: others below it may still be to come (RFC 7162 section 6). */
  #heardModseq: bigint | undefined;
  /** While it is placed on another selection: what that tells. */
  #told: Told | undefined;
  /** The one that tells it, or is about to. */
  #connection: ImapConnection | undefined;
  #disturbed = false;
  #existsHeard = 0;
  #confirmed: Moment = { at: Number.NEGATIVE_INFINITY, date: 0 };
  #writtenAt = Number.NEGATIVE_INFINITY;

  constructor() {
    made += 1;
    this.id = `${here}${made.toString(36)}`;
  }

  /** Whether it knows of which folder it is. */
  get placed(): boolean {
    return this.#uidValidity !== undefined;
  }

  get uidValidity(): number | undefined {
    return this.#uidValidity;
  }

  /** MAILBOXID (RFC 8474), where the server tells it. */
  get mailboxId(): string | undefined {
    return this.#mailboxId;
  }

  /** Whether it is the folder that was selected, not another one of the same name. */
  isOf({ uidValidity, mailboxId }: Pick<SelectedMailbox, 'uidValidity' | 'mailboxId'>): boolean {
    return uidValidity === this.#uidValidity && mailboxId === this.#mailboxId;
  }

  get modseq(): bigint | undefined {
    return this.#modseq;
  }

  get asOf(): Date {
    return new Date(this.#confirmed.date);
  }

  /** When the barrier began by which the server confirmed the view for the last time. */
  get confirmed(): Moment {
    return this.#confirmed;
  }

  /** Whether something was written since then of which the view need not have heard. */
  get outdated(): boolean {
    return this.#writtenAt >= this.#confirmed.at;
  }

  /** Whether the folder certainly has no message of this uid. */
  lacks(uid: number): boolean {
    const { base, uids, unknownOnTop } = this.members;
    const first = base === 0 ? 0 : (uids[0] ?? Number.POSITIVE_INFINITY);
    return unknownOnTop === 0 && uid >= first && this.members.flagsOf(uid) === undefined;
  }

  /** Flags as JSON, of a message that is known or that was opened; undefined where they are not known. */
  flagsOf(uid: number): string | undefined {
    return this.members.flagsOf(uid) ?? this.#opened.of(uid);
  }

  /** Messages are about to be opened on the connection that is followed: what it tells of their flags is kept. */
  expectOpened(uids: readonly number[]): void {
    this.#opened.expect(uids.filter((uid) => this.members.flagsOf(uid) === undefined));
  }

  /** Bytes in the heap, as measured: see the test. */
  get bytes(): number {
    const { members, rows, log } = this;
    return EMPTY_BYTES + members.bytes + rows.bytes + this.#opened.bytes + log.length * CHANGE_BYTES;
  }

  /** The server confirmed it by a barrier that began then. */
  confirm(begun: Moment): void {
    this.#confirmed = begun;
    if (this.#modseq !== undefined) this.#modseq = this.#heardModseq ?? this.#modseq;
  }

  /** Somebody wrote to the folder by another way than the connection that is followed. */
  wrote(): void {
    this.#writtenAt = performance.now();
  }

  /** What was heard does not hold: of the messages nothing is known any more but how many there are. */
  doubt(exists: number): void {
    this.members.reset(exists);
    this.#opened.clear();
    this.#modseq = undefined;
    this.log.interrupt();
  }

  /** What the server said last was not about the folder, or nobody wants to know it: knows nothing, and hears nothing. */
  abandon(): void {
    this.#connection?.unfollow(this);
    this.doubt(0);
    this.#uidValidity = undefined;
    this.#mailboxId = undefined;
    this.rows.clear();
  }

  /**
   * Begins to be placed on a selection of this connection: collects what that tells. Whoever told it before does not any
   * more, for it would tell the same changes again.
   */
  startPlacing(connection: ImapConnection): Told {
    this.#connection?.unfollow(this);
    this.#connection = connection;
    this.#told = { vanished: new UidRanges(), flags: new Map() };
    this.#existsHeard = 0;
    return this.#told;
  }

  /** The SELECT is done: from now on each message that comes or goes disturbs the placing. */
  settleOn(): void {
    // A second one came behind the answer already.
    this.#disturbed = this.#existsHeard > 1;
  }

  /** Whether what was asked for since the SELECT does not fit together. */
  get disturbed(): boolean {
    return this.#disturbed;
  }

  /** Another folder than the known one, or a known one of which nothing helps: begins with how many there are. */
  begin(selected: SelectedMailbox): void {
    const { uidValidity, mailboxId, exists, highestModseq } = selected;
    if (this.#uidValidity !== undefined) this.log.interrupt();
    if (!this.isOf(selected)) this.rows.clear();
    this.#uidValidity = uidValidity;
    this.#mailboxId = mailboxId;
    this.members.reset(exists);
    this.#opened.clear();
    this.#place(highestModseq);
  }

  /** The folder that it knows, with what became of it meanwhile. */
  resume(
    { exists, highestModseq }: SelectedMailbox,
    changes: { removed: Iterable<number>; flags: ReadonlyMap<number, string>; added: readonly Member[] },
    told?: Told,
  ): void {
    this.#resumeOpened(told);
    this.members.removeAll([...changes.removed]);
    for (const [uid, flags] of changes.flags)
      if (this.members.flagsOf(uid) !== undefined) this.members.flag(0, uid, flags);
    this.members.learnTop(changes.added);
    this.members.settle(exists);
    this.#place(highestModseq);
  }

  /** @param told everything that became of any message, where the server tells that */
  #resumeOpened(told: Told | undefined): void {
    if (!told) {
      this.#opened.clear();
      return;
    }
    this.#opened.vanished(told.vanished);
    for (const [uid, flags] of told.flags) this.#opened.told(uid, flags);
  }

  /** Knows only the newest, at most so many. */
  truncate(most: number): void {
    const left = this.members.truncate(most);
    if (left.length === 0) return;
    for (const uid of left) this.rows.remove(uid);
    // Whoever was shown them would not be told what becomes of them.
    this.log.interrupt();
  }

  onExists(count: number): void {
    this.#existsHeard += 1;
    this.onHeard?.();
    if (this.#told) this.#disturbed = true;
    else if (!this.members.announce(count)) this.doubt(count);
  }

  onExpunge(seq: number): void {
    this.onHeard?.();
    if (this.#told) this.#disturbed = true;
    else {
      // Which of the messages that are not known is gone, a number does not tell.
      if (!this.members.knows(seq)) this.#opened.clear();
      if (!this.members.expunge(seq)) this.doubt(this.members.exists);
    }
  }

  onVanished(uids: string, earlier: boolean): void {
    this.onHeard?.();
    if (this.#told && earlier) this.#told.vanished.add(uids);
    else if (this.#told) this.#disturbed = true;
    else if (!earlier) {
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
    if (!this.#told) this.#noteFlags(seq, uid, flagString(flags));
    // Of which message is not known before the view is placed.
    else if (uid === undefined) this.#disturbed = true;
    // A server tells of all messages that changed, of which the view may know few.
    else if (this.flagsOf(uid) !== undefined) this.#told.flags.set(uid, flagString(flags));
  }

  #noteFlags(seq: number, uid: number | undefined, flags: string): void {
    this.members.flag(seq, uid, flags);
    if (uid !== undefined) this.#opened.told(uid, flags);
    else if (!this.members.knows(seq)) this.#opened.clear();
  }

  onLost(): void {
    this.#connection = undefined;
    this.#told = undefined;
    this.#heardModseq = undefined;
  }

  #place(highestModseq: bigint | undefined): void {
    this.#told = undefined;
    this.#modseq = highestModseq;
    this.#heardModseq = undefined;
  }

  #changed(kind: 'added' | 'changed' | 'removed', uid: number): void {
    if (kind === 'removed') {
      this.rows.remove(uid);
      // It may have been opened before it became a member.
      this.#opened.remove(uid);
    }
    this.log.note(kind, uid);
  }
}
