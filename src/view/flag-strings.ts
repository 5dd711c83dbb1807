import { bytesOfString } from './string-bytes.js';

/** Bytes of a combination of flags besides its characters, its record and its map entry: between those of Node 20 and 22. */
const KIND_BYTES = 85;

/** Flags as JSON. */
export function flagString(flags: readonly string[]): string {
  return JSON.stringify(flags);
}

/**
 * The combinations of flags that a folder's messages have, each kept once: thousands of messages share a few. Each
 * folder has its own instance, because keywords are the user's words and must be forgotten with the folder.
 */
export class FlagStrings {
  readonly #kinds = new Map<string, { json: string; uses: number }>();
  #bytes = 0;

  get bytes(): number {
    return this.#bytes;
  }

  /** Number of messages without a flag. */
  usesWithout(flag: string): number {
    const quoted = JSON.stringify(flag);
    let count = 0;
    for (const { json, uses } of this.#kinds.values()) if (!json.includes(quoted)) count += uses;
    return count;
  }

  /** Returns the same string for the same flags, and counts one more use. */
  take(json: string): string {
    const known = this.#kinds.get(json);
    if (known) {
      known.uses += 1;
      return known.json;
    }
    this.#kinds.set(json, { json, uses: 1 });
    this.#bytes += KIND_BYTES + bytesOfString(json);
    return json;
  }

  /** A message with this combination is gone, or its flags have changed. */
  drop(json: string): void {
    const known = this.#kinds.get(json);
    if (!known) return;
    known.uses -= 1;
    if (known.uses > 0) return;
    this.#kinds.delete(json);
    this.#bytes -= KIND_BYTES + bytesOfString(json);
  }

  clear(): void {
    this.#kinds.clear();
    this.#bytes = 0;
  }
}
