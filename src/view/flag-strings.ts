import { bytesOfString } from './string-bytes.js';

/** Bytes of a combination beside its characters: its record and its place in the map. */
const KIND_BYTES = 100;

/** Flags as JSON. */
export function flagString(flags: readonly string[]): string {
  return JSON.stringify(flags);
}

/**
 * The combinations of flags that a folder's messages have, each kept once: thousands of messages share a few. Of each
 * folder its own, for keywords are the user's words and go when the folder does.
 */
export class FlagStrings {
  readonly #kinds = new Map<string, { json: string; uses: number }>();
  #bytes = 0;

  get bytes(): number {
    return this.#bytes;
  }

  /** Messages that do not have a flag. */
  usesWithout(flag: string): number {
    const quoted = JSON.stringify(flag);
    let count = 0;
    for (const { json, uses } of this.#kinds.values()) if (!json.includes(quoted)) count += uses;
    return count;
  }

  /** The same string for the same flags, used once more from now on. */
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

  /** A message of this combination is gone, or has another one. */
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
