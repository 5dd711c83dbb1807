import { flagString } from './flag-strings.js';
import { lowerBound, type UidRanges } from './ranges.js';

/** A message with its flags. */
export interface Member {
  uid: number;
  flags: readonly string[];
}

export type OnChange = (kind: 'added' | 'changed' | 'removed', uid: number) => void;

/**
 * Which messages a folder has: of the newest, without a gap, uids and flags; of those below only how many there are. So
 * each sequence number can be told, and memory and the first answer cost what was looked at, not what is there.
 */
export class Membership {
  #exists = 0;
  /** Messages below those that are known: the first known has the sequence number `#base + 1`. */
  #base = 0;
  #uids: number[] = [];
  readonly #flags = new Map<number, string>();
  #highest = 0;
  /** Flags by sequence number that came without a uid for messages not known yet: kept until they are. */
  readonly #unplaced = new Map<number, string>();
  readonly #onChange: OnChange;
  #stamp = 0;
  #shifts = 0;

  /** @param onChange hears of each message that comes, changes or goes; not of those that merely become known */
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

  /** Another one after each change of what an answer could show. */
  get stamp(): number {
    return this.#stamp;
  }

  /** Another one whenever sequence numbers have come to mean other messages. */
  get shifts(): number {
    return this.#shifts;
  }

  /** The highest uid that was ever known here: what is above it is new. */
  get highest(): number {
    return this.#highest;
  }

  /** New messages that were announced and are not known yet. */
  get unknownOnTop(): number {
    return this.#exists - this.#base - this.#uids.length;
  }

  /** Flags as JSON; undefined for a message that is not known. */
  flagsOf(uid: number): string | undefined {
    return this.#flags.get(uid);
  }

  /** Knows nothing but how many there are. */
  reset(exists: number): void {
    this.#moved();
    this.#uids = [];
    this.#flags.clear();
    this.#highest = 0;
    this.#exists = exists;
    this.#base = exists;
  }

  /** @returns false when messages are missing that nobody announced: the server's word does not hold */
  announce(exists: number): boolean {
    const possible = exists >= this.#base + this.#uids.length;
    if (possible) {
      this.#exists = exists;
      this.#stamp += 1;
    }
    return possible;
  }

  /** The message with this sequence number is gone. @returns false when there is none */
  expunge(seq: number): boolean {
    if (seq < 1 || seq > this.#exists) return false;
    this.#moved();
    const index = seq - this.#base - 1;
    const uid = this.#uids[index];
    this.#exists -= 1;
    if (index < 0) this.#base -= 1;
    else if (uid !== undefined) {
      this.#uids.splice(index, 1);
      this.#drop(uid);
    }
    return true;
  }

  /** Messages that were here are gone. @returns false when there were not so many */
  vanish(gone: UidRanges): boolean {
    const known = gone.of(this.#uids);
    const first = this.#uids[0] ?? Number.POSITIVE_INFINITY;
    const below = this.#uids.length === 0 ? Math.min(gone.size, this.#base) : gone.below(first);
    const above = gone.size - known.length - below;
    if (below > this.#base || above > this.unknownOnTop) return false;
    this.#moved();
    for (const uid of known) this.remove(uid);
    this.#base -= below;
    this.#exists -= below + above;
    return true;
  }

  /** A known message is gone. */
  remove(uid: number): void {
    const index = lowerBound(this.#uids, uid);
    if (this.#uids[index] !== uid) return;
    this.#moved();
    this.#uids.splice(index, 1);
    this.#exists -= 1;
    this.#drop(uid);
  }

  /** Flags of a message by uid, or by sequence number where the server gave no uid. */
  flag(seq: number, uid: number | undefined, flags: string): void {
    const found = uid ?? this.#uids[seq - this.#base - 1];
    const before = found === undefined ? undefined : this.#flags.get(found);
    if (found !== undefined && before !== undefined) {
      if (before === flags) return;
      this.#flags.set(found, flags);
      this.#stamp += 1;
      this.#onChange('changed', found);
    } else if (uid === undefined) {
      this.#unplaced.set(seq, flags);
    } else {
      // What is about to be learned of it is newer than what was heard before.
      this.#unplaced.delete(seq);
    }
  }

  /** Learns of the oldest of the announced messages, ascending. */
  learnTop(members: readonly Member[]): void {
    const first = this.#base + this.#uids.length + 1;
    members.forEach(({ uid, flags }, index) => {
      this.#uids.push(uid);
      this.#flags.set(uid, this.#unplaced.get(first + index) ?? flagString(flags));
      this.#highest = Math.max(this.#highest, uid);
      this.#onChange('added', uid);
    });
    this.#unplaced.clear();
    this.#stamp += 1;
  }

  /** Learns of the messages right below the known ones, ascending. */
  learnBelow(members: readonly Member[]): void {
    const first = this.#base - members.length + 1;
    members.forEach(({ uid, flags }, index) => {
      this.#flags.set(uid, this.#unplaced.get(first + index) ?? flagString(flags));
    });
    this.#uids = [...members.map(({ uid }) => uid), ...this.#uids];
    this.#base -= members.length;
    this.#highest = Math.max(this.#highest, this.#uids.at(-1) ?? 0);
    this.#unplaced.clear();
    this.#stamp += 1;
  }

  /** So many are there in all; those that are not known are below. */
  settle(exists: number): void {
    this.#exists = exists;
    this.#base = exists - this.#uids.length;
    this.#moved();
  }

  /** Knows only the newest, at most so many. @returns the uids of those that it knows no more */
  truncate(most: number): number[] {
    const left = this.#uids.splice(0, Math.max(0, this.#uids.length - most));
    for (const uid of left) this.#flags.delete(uid);
    this.#base += left.length;
    this.#stamp += 1;
    return left;
  }

  #moved(): void {
    this.#unplaced.clear();
    this.#shifts += 1;
    this.#stamp += 1;
  }

  #drop(uid: number): void {
    this.#flags.delete(uid);
    this.#onChange('removed', uid);
  }
}
