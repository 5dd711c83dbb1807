import { bytesOfForest, type Forest } from './forest.js';
import { SortedUids } from './sorted-uids.js';
import { ThreadNodes } from './thread-nodes.js';

/** Forests that a folder keeps; the one that was used longest ago goes first. */
const MOST_FORESTS = 4;

/** What a forest followed from. */
interface Basis {
  /** Changes whenever messages come or go. */
  members: string;
  /** That of the view; undefined where the forest follows from the messages alone, whatever their flags. */
  stamp: number | undefined;
}

interface Kept extends Basis {
  forest: Forest;
}

/** Unseen messages, as a search found them while nothing changed. */
interface Unseen {
  stamp: number;
  uids: SortedUids;
}

/** What shows whether a view has changed: members of `MailboxView`. */
interface Versioned {
  stamp: number;
  members: { shifts: number; exists: number };
}

/** What a view knows of its folder's conversations. */
export class Conversations {
  readonly nodes = new ThreadNodes();
  /** Who made the forests. */
  by: 'server' | 'broker' = 'broker';
  readonly #forests = new Map<string, Kept>();
  #unseen: Unseen | undefined;

  get bytes(): number {
    let bytes = this.nodes.bytes + (this.#unseen?.uids.bytes ?? 0);
    for (const [key, { forest }] of this.#forests) bytes += bytesOfForest(forest) + 2 * key.length;
    return bytes;
  }

  /** What a forest follows from that is made now. @param ofFlags whether it follows from flags as well */
  basis({ stamp, members }: Versioned, ofFlags: boolean): Basis {
    // No message can come or go without a shift of sequence numbers, or another count.
    return { members: `${members.shifts}.${members.exists}`, stamp: ofFlags ? stamp : undefined };
  }

  /** A kept forest, unless something has changed that it followed from. */
  recall(view: Versioned, key: string): Forest | undefined {
    const kept = this.#forests.get(key);
    if (!kept) return undefined;
    this.#forests.delete(key);
    const now = this.basis(view, kept.stamp !== undefined);
    if (now.members !== kept.members || now.stamp !== kept.stamp) return undefined;
    this.#forests.set(key, kept);
    return kept.forest;
  }

  /** Keeps a forest, unless something has changed since. */
  keep(view: Versioned, key: string, basis: Basis, forest: Forest): void {
    const now = this.basis(view, basis.stamp !== undefined);
    if (now.members !== basis.members || now.stamp !== basis.stamp) return;
    this.#forests.set(key, { ...basis, forest });
    for (const oldest of this.#forests.keys()) {
      if (this.#forests.size <= MOST_FORESTS) return;
      this.#forests.delete(oldest);
    }
  }

  /** The messages of the folder that are unseen; undefined where that is not known. */
  unseen({ stamp }: Versioned): SortedUids | undefined {
    return this.#unseen?.stamp === stamp ? this.#unseen.uids : undefined;
  }

  /**
   * @param stamp that of the view before the search
   * @param uids ascending
   */
  keepUnseen({ stamp: now }: Versioned, stamp: number, uids: readonly number[]): void {
    this.#unseen = now === stamp ? { stamp, uids: new SortedUids(uids) } : undefined;
  }

  clear(): void {
    this.nodes.clear();
    this.#forests.clear();
    this.#unseen = undefined;
  }
}
