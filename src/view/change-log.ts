/** What became of messages, by uid; a message that came and went in between is in none. */
export interface Changes {
  added: number[];
  changed: number[];
  removed: number[];
}

const kinds = ['added', 'changed', 'removed'] as const;
type Kind = (typeof kinds)[number];

/** More are forgotten, the oldest first: whoever asks for what was before must list again. */
const MOST_ENTRIES = 2_000;

/** What happened to the messages of a folder, each change a version. */
export class ChangeLog {
  #version = 0;
  /** Since this version everything is in the log. */
  #from = 0;
  /** Each a uid and a kind in one number: an object for each would take six times as much. */
  #entries: number[] = [];

  get version(): number {
    return this.#version;
  }

  get length(): number {
    return this.#entries.length;
  }

  note(kind: Kind, uid: number): void {
    this.#version += 1;
    this.#entries.push(uid * kinds.length + kinds.indexOf(kind));
    // Now and then rather than each time: moving the rest costs more than the memory.
    if (this.#entries.length > 2 * MOST_ENTRIES) {
      this.#entries = this.#entries.slice(-MOST_ENTRIES);
      this.#from = this.#version - MOST_ENTRIES;
    }
  }

  /** Something happened of which cannot be told what. */
  interrupt(): void {
    this.#version += 1;
    this.#entries = [];
    this.#from = this.#version;
  }

  /** What happened after a version; undefined when that cannot be told. */
  since(version: number): Changes | undefined {
    if (version < this.#from || version > this.#version) return undefined;
    const fates = new Map<number, Kind>();
    for (const entry of this.#entries.slice(version - this.#from)) {
      const uid = Math.floor(entry / kinds.length);
      const kind = kinds[entry % kinds.length] ?? 'changed';
      const before = fates.get(uid);
      if (kind === 'removed' && before === 'added') fates.delete(uid);
      else if (kind !== 'changed' || before === undefined) fates.set(uid, kind);
    }
    const changes: Changes = { added: [], changed: [], removed: [] };
    for (const [uid, kind] of fates) changes[kind].push(uid);
    return changes;
  }
}
