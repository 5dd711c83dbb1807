import { FlagStrings, flagString } from './flag-strings.js';
import { lowerBound, type UidRanges } from './ranges.js';

/** A message with its flags. */
export interface Member {
  uid: number;
  flags: readonly string[];
}

/** Bytes of a known message: its places in two arrays, and some of the spare room of growing arrays. */
const MEMBER_BYTES = 18;
/** Bytes of flags that arrived before their message was known. */
const UNPLACED_BYTES = 100;

/** Most flags that are kept for unknown messages; beyond that all are dropped, as a server may send any number. */
const MOST_UNPLACED = 20_000;

/** Fewer messages than this are removed one by one. */
const FEW = 20;

export type OnChange = (kind: 'added' | 'changed' | 'removed', uid: number) => void;

/**
 * Which messages a folder has: uids and flags of the newest, without a gap; of the older ones only how many there are.
 * So each sequence number can be resolved, and the cost in memory and time depends on what was listed, not on the size
 * of the folder.
 */
export class Membership {
  #exists = 0;
  /** Number of messages below the known ones: the first known message has the sequence number `#base + 1`. */
  #base = 0;
  #uids: number[] = [];
  /** Flags at the same indexes as `#uids`: a map would take four times as much memory. */
  #flags: string[] = [];
  readonly #strings = new FlagStrings();
  #highest = 0;
  /** Flags by sequence number that came without a uid for messages not known yet: kept until the messages are known. */
  readonly #unplaced = new Map<number, string>();
  readonly #onChange: OnChange;
  #shifts = 0;

  /** @param onChange called for each message that is added, changed or removed; not for older ones that become known */
  constructor(onChange: OnChange) {
    this.#onChange = onChange;
  }

  get exists(): number {
    return this.#exists;
  }

  get base(): number {
    return this.#base;
  }

  /** Uids of the known messages, ascending. */
  get uids(): readonly number[] {
    return this.#uids;
  }

  /** Changes whenever sequence numbers shift, or flags kept by sequence number were dropped. */
  get shifts(): number {
    return this.#shifts;
  }

  /** The highest uid ever known here: messages above it are new. */
  get highest(): number {
    return this.#highest;
  }

  /** Number of new messages that were announced and are not known yet. */
  get unknownOnTop(): number {
    return this.#exists - this.#base - this.#uids.length;
  }

  /** Bytes in the heap; the sizes were measured: see the test. */
  get bytes(): number {
    return this.#uids.length * MEMBER_BYTES + this.#strings.bytes + this.#unplaced.size * UNPLACED_BYTES;
  }

  /** Number of known messages without the flag \Seen. */
  get unseen(): number {
    return this.#strings.usesWithout('\\Seen');
  }

  /** Flags as JSON; undefined for a message that is not known. */
  flagsOf(uid: number): string | undefined {
    // Most messages of a large folder are below the known ones.
    if (uid < (this.#uids[0] ?? 0)) return undefined;
    const index = lowerBound(this.#uids, uid);
    return this.#uids[index] === uid ? this.#flags[index] : undefined;
  }

  /** Whether the message with this sequence number is known. */
  knows(seq: number): boolean {
    return seq > this.#base && seq <= this.#base + this.#uids.length;
  }

  /** Forgets all messages, except how many there are. */
  reset(exists: number): void {
    this.#moved();
    this.#uids = [];
    this.#flags = [];
    this.#strings.clear();
    this.#highest = 0;
    this.#exists = exists;
    this.#base = exists;
  }

  /** The server announced EXISTS. @returns false when known messages went missing without an EXPUNGE or VANISHED */
  announce(exists: number): boolean {
    const possible = exists >= this.#base + this.#uids.length;
    if (possible) this.#exists = exists;
    return possible;
  }

  /** The message with this sequence number is gone. @returns false when there is no such message */
  expunge(seq: number): boolean {
    if (seq < 1 || seq > this.#exists) return false;
    this.#moved();
    const index = seq - this.#base - 1;
    this.#exists -= 1;
    if (index < 0) this.#base -= 1;
    else this.#drop(index);
    return true;
  }

  /** Messages of the folder are gone. @returns false when the folder did not have that many */
  vanish(gone: UidRanges): boolean {
    const known = gone.of(this.#uids);
    const first = this.#uids[0] ?? Number.POSITIVE_INFINITY;
    const below = this.#uids.length === 0 ? Math.min(gone.size, this.#base) : gone.below(first);
    const above = gone.size - known.length - below;
    if (below > this.#base || above > this.unknownOnTop) return false;
    this.#moved();
    this.removeAll(known);
    this.#base -= below;
    this.#exists -= below + above;
    return true;
  }

  /** A known message is gone. */
  remove(uid: number): void {
    const index = lowerBound(this.#uids, uid);
    if (this.#uids[index] !== uid) return;
    this.#moved();
    this.#exists -= 1;
    this.#drop(index);
  }

  /** Known messages are gone. One pass for all: to remove many from an array one by one takes seconds. */
  removeAll(uids: readonly number[]): void {
    if (uids.length < FEW) {
      for (const uid of uids) this.remove(uid);
      return;
    }
    const gone = new Set(uids);
    const keep: number[] = [];
    const keptFlags: string[] = [];
    const removed: number[] = [];
    for (const [index, uid] of this.#uids.entries()) {
      const flags = this.#flags[index] as string;
      if (gone.has(uid)) {
        this.#strings.drop(flags);
        removed.push(uid);
      } else {
        keep.push(uid);
        keptFlags.push(flags);
      }
    }
    this.#uids = keep;
    this.#flags = keptFlags;
    this.#exists -= removed.length;
    if (removed.length > 0) this.#moved();
    for (const uid of removed) this.#onChange('removed', uid);
  }

  /**
   * Sets the flags of a message by uid, or by sequence number where the server gave no uid.
   * @returns what that was: other flags, the same, or flags of a message that is not known
   */
  flag(seq: number, uid: number | undefined, flags: string): 'changed' | 'same' | 'unknown' {
    const index = uid === undefined ? seq - this.#base - 1 : lowerBound(this.#uids, uid);
    const found = this.#uids[index];
    const before = this.#flags[index];
    if (found !== undefined && before !== undefined && (uid === undefined || uid === found)) {
      if (before === flags) return 'same';
      this.#flags[index] = this.#strings.take(flags);
      this.#strings.drop(before);
      this.#onChange('changed', found);
      return 'changed';
    }
    if (uid === undefined) {
      if (this.#unplaced.size >= MOST_UNPLACED) this.#moved();
      this.#unplaced.set(seq, flags);
    } else {
      // The flags that are about to be fetched are newer than those kept by sequence number.
      this.#unplaced.delete(seq);
    }
    return 'unknown';
  }

  /** Adds the oldest of the announced messages, ascending. */
  addNewest(members: readonly Member[]): void {
    const first = this.#base + this.#uids.length + 1;
    members.forEach(({ uid, flags }, index) => {
      this.#uids.push(uid);
      this.#flags.push(this.#strings.take(this.#unplaced.get(first + index) ?? flagString(flags)));
      this.#highest = Math.max(this.#highest, uid);
      this.#onChange('added', uid);
    });
    this.#unplaced.clear();
  }

  /** Adds the messages right below the known ones, ascending. */
  addOlder(members: readonly Member[]): void {
    const first = this.#base - members.length + 1;
    const strings = members.map(({ flags }, index) =>
      this.#strings.take(this.#unplaced.get(first + index) ?? flagString(flags)),
    );
    // Not by spreading, which would leave spare room for half as many again.
    this.#flags = strings.concat(this.#flags);
    this.#uids = members.map(({ uid }) => uid).concat(this.#uids);
    this.#base -= members.length;
    this.#highest = Math.max(this.#highest, this.#uids.at(-1) ?? 0);
    this.#unplaced.clear();
  }

  /** The folder is selected anew: its messages have other sequence numbers, so flags kept by number are dropped. */
  renumber(): void {
    this.#moved();
  }

  /** The folder has so many messages in all; the unknown ones are below the known ones. */
  settle(exists: number): void {
    this.#exists = exists;
    this.#base = exists - this.#uids.length;
    this.#moved();
  }

  /** Forgets all but the newest messages, at most `most`. @returns the uids of the forgotten ones */
  truncate(most: number): number[] {
    const surplus = Math.max(0, this.#uids.length - most);
    const left = this.#uids.splice(0, surplus);
    for (const flags of this.#flags.splice(0, surplus)) this.#strings.drop(flags);
    this.#base += left.length;
    return left;
  }

  #moved(): void {
    this.#unplaced.clear();
    this.#shifts += 1;
  }

  #drop(index: number): void {
    const [uid] = this.#uids.splice(index, 1);
    const [flags] = this.#flags.splice(index, 1);
    if (flags !== undefined) this.#strings.drop(flags);
    if (uid !== undefined) this.#onChange('removed', uid);
  }
}
