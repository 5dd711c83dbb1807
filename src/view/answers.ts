import { bytesOfString } from './rows.js';

/** Bytes of an answer beside its two strings. */
const ANSWER_BYTES = 150;

/** Pages of a folder that are asked for again and again: the first, in one or two forms. */
const MOST = 4;

/** Answers that were put together, for as long as what they show does not change. */
export class Answers {
  readonly #answers = new Map<string, { stamp: number; json: string; bytes: number }>();
  #bytes = 0;

  get bytes(): number {
    return this.#bytes;
  }

  /** The answer of a key, made when there is none of this stamp. */
  get(key: string, stamp: number, make: () => string): string {
    const known = this.#answers.get(key);
    if (known?.stamp === stamp) return known.json;
    this.#remove(key);
    const [oldest] = this.#answers.keys();
    if (this.#answers.size >= MOST && oldest !== undefined) this.#remove(oldest);
    const json = make();
    const bytes = ANSWER_BYTES + bytesOfString(key) + bytesOfString(json);
    this.#answers.set(key, { stamp, json, bytes });
    this.#bytes += bytes;
    return json;
  }

  clear(): void {
    this.#answers.clear();
    this.#bytes = 0;
  }

  #remove(key: string): void {
    this.#bytes -= this.#answers.get(key)?.bytes ?? 0;
    this.#answers.delete(key);
  }
}
