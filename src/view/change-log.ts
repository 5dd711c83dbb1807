/** Changes of messages, by uid. `removed` names also those that came since: an answer in between may have shown them. */
export interface Changes {
  added: number[];
  changed: number[];
  removed: number[];
}

const kinds = ['added', 'changed', 'removed'] as const;
type Kind = (typeof kinds)[number];

/** Entries that the log keeps at least; older ones are dropped: a client with an older state must list again. */
const MOST_ENTRIES = 2_000;

/** The changes of a folder's messages; each change is a new version. */
export class ChangeLog {
  #version = 0;
  /** The log is complete since this version. */
  #from = 0;
  #untoldAt = -1;
  /** Uid and kind in one number per entry: objects would take six times as much memory. */
  #entries: number[] = [];

  get version(): number {
    return this.#version;
  }

  /**
   * Messages are answered of whose changes the log does not tell. A caller may ask about them with an older state that it
   * has of other messages.
   */
  noteUntold(): void {
    this.#untoldAt = this.#version;
  }

  /** Whether the log tells of all messages that a caller with a state of this version may have. */
  tellsAllSince(version: number): boolean {
    return version > this.#untoldAt;
  }

  get length(): number {
    return this.#entries.length;
  }

  note(kind: Kind, uid: number): void {
    this.#version += 1;
    this.#entries.push(uid * kinds.length + kinds.indexOf(kind));
    // In batches, not one by one: moving the remaining entries costs more than the memory is worth.
    if (this.#entries.length > 2 * MOST_ENTRIES) {
      this.#entries = this.#entries.slice(-MOST_ENTRIES);
      this.#from = this.#version - MOST_ENTRIES;
    }
  }

  /** The folder changed in an unknown way: the log cannot answer for earlier versions. */
  interrupt(): void {
    this.#version += 1;
    this.#entries = [];
    this.#from = this.#version;
  }

  /** The changes after a version; undefined when the log does not reach back that far. */
  since(version: number): Changes | undefined {
    if (version < this.#from || version > this.#version) return undefined;
    const fates = new Map<number, Kind>();
    for (const entry of this.#entries.slice(version - this.#from)) {
      const uid = Math.floor(entry / kinds.length);
      const kind = kinds[entry % kinds.length] ?? 'changed';
      const before = fates.get(uid);
      if (kind !== 'changed' || before === undefined) fates.set(uid, kind);
    }
    const changes: Changes = { added: [], changed: [], removed: [] };
    for (const [uid, kind] of fates) changes[kind].push(uid);
    return changes;
  }
}
