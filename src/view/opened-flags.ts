import type { UidRanges } from './ranges.js';

/** Most messages whose flags are kept; beyond that the messages opened first are forgotten. */
const MOST = 500;
/** Bytes of an entry, with most of its text. */
const ENTRY_BYTES = 120;

/**
 * Flags of messages that were opened without having been listed. The flags are kept while the connection that the view
 * follows reports all changes. No list is needed for that, only uids in the server's untagged responses.
 */
export class OpenedFlags {
  /** Flags as JSON, by uid; undefined until the server has sent them. */
  readonly #flags = new Map<number, string | undefined>();

  get bytes(): number {
    return this.#flags.size * ENTRY_BYTES;
  }

  /** Messages are about to be fetched, with their flags. */
  expect(uids: readonly number[]): void {
    for (const uid of uids.slice(0, MOST)) {
      const known = this.#flags.get(uid);
      // Those that are asked for again are forgotten last.
      this.#flags.delete(uid);
      this.#flags.set(uid, known);
    }
    for (const uid of this.#flags.keys()) {
      if (this.#flags.size <= MOST) return;
      this.#flags.delete(uid);
    }
  }

  of(uid: number): string | undefined {
    return this.#flags.get(uid);
  }

  /** The server sent the flags of a message. @returns what that is: flags that were expected, others, or the same */
  report(uid: number, flags: string): 'learned' | 'changed' | 'same' | 'unknown' {
    if (!this.#flags.has(uid)) return 'unknown';
    const before = this.#flags.get(uid);
    this.#flags.set(uid, flags);
    if (before === undefined) return 'learned';
    return before === flags ? 'same' : 'changed';
  }

  vanished(gone: UidRanges): void {
    const uids = [...this.#flags.keys()].sort((a, b) => a - b);
    for (const uid of gone.of(uids)) this.remove(uid);
  }

  remove(uid: number): void {
    this.#flags.delete(uid);
  }

  clear(): void {
    this.#flags.clear();
  }
}
