import type { ThreadMessage } from '../../imap/mime/threading/thread-references.js';
import { breathe } from '../../imap/wire/turn-budget.js';

/** Bytes of a message besides its numbers: its array, and its place in the map. */
const NODE_BYTES = 100;
/** Messages after which a turn may end. */
const PACE = 500;

/** Id, subject, date and whether it is a reply, then the references: one array of doubles for each message. */
type Node = readonly number[];

/** What threading needs of a folder's messages, by uid, as nothing of it ever changes. */
export class ThreadNodes {
  readonly #nodes = new Map<number, Node>();
  #numbers = 0;

  /** Bytes in the heap, by the sizes that V8 gives arrays of doubles and entries of maps. */
  get bytes(): number {
    return this.#nodes.size * NODE_BYTES + this.#numbers * 8;
  }

  get size(): number {
    return this.#nodes.size;
  }

  has(uid: number): boolean {
    return this.#nodes.has(uid);
  }

  /** The date of a message in milliseconds since 1970: its Date header, else its internal date. */
  dateOf(uid: number): number | undefined {
    return this.#nodes.get(uid)?.[3];
  }

  add({ uid, id, references, subject, isReply, date }: ThreadMessage): void {
    this.remove(uid);
    // Not by spreading, which would leave spare room.
    const node: Node = [Number(id ?? 0), Number(subject), isReply ? 1 : 0, date].concat(references.map(Number));
    this.#nodes.set(uid, node);
    this.#numbers += node.length;
  }

  remove(uid: number): void {
    const node = this.#nodes.get(uid);
    if (!node) return;
    this.#nodes.delete(uid);
    this.#numbers -= node.length;
  }

  clear(): void {
    this.#nodes.clear();
    this.#numbers = 0;
  }

  /** Removes all but these, in turns. */
  async keep(uids: readonly number[]): Promise<void> {
    if (this.#nodes.size === 0) return;
    const kept = new Set(uids);
    let seen = 0;
    for (const uid of [...this.#nodes.keys()]) {
      if (!kept.has(uid)) this.remove(uid);
      seen += 1;
      if (seen % PACE === 0) await breathe();
    }
  }

  /** The known ones of these messages. */
  async messages(uids: readonly number[]): Promise<ThreadMessage[]> {
    const messages: ThreadMessage[] = [];
    for (const uid of uids) {
      const node = this.#nodes.get(uid);
      if (!node) continue;
      const [id = 0, subject = 0, isReply = 0, date = 0, ...references] = node;
      messages.push({ uid, id: id === 0 ? null : id, subject, isReply: isReply === 1, date, references });
      if (messages.length % PACE === 0) await breathe();
    }
    return messages;
  }
}
