import type { MessageSummary } from '../../../protocol/rows.js';
import type { ImapConnection } from '../../connection/connection.js';
import { type PreviewPart, previewOf, previewPart } from '../../mime/preview.js';
import { readStructure } from '../../mime/structure.js';
import { type Readable, sortedParts } from '../../mime/structure-readable.js';
import type { UntaggedHandler } from '../../wire/command.js';
import type { UntaggedResponse } from '../../wire/response.js';
import { atom, bytesOf, nzNumberOf, sequence } from '../../wire/tokens.js';
import { breathe } from '../../wire/turn-budget.js';
import { type FetchedRow, fetchRows, peek } from '../fetch-rows.js';
import { fetchDivided, isDivisible } from './divided.js';

/** A row that waits for a preview. */
interface Waiting {
  summary: MessageSummary;
  /** Undefined while the structure of the message is not known. */
  from: { part: PreviewPart | undefined } | undefined;
  slice: Buffer | undefined;
}

/** Rows whose text is in a part of the same number, of which the same bytes are wanted. */
interface Group {
  section: string;
  length: number;
  uids: number[];
}

/**
 * Makes previews of rows for which the server has none, from the beginning of their first text. One round trip for all
 * rows of a page whose structure is known, else two.
 */
export class Previews {
  readonly #connection: ImapConnection;
  readonly #waiting = new Map<number, Waiting>();

  constructor(connection: ImapConnection) {
    this.#connection = connection;
  }

  /** Takes a row without a preview. @param sorted its parts, where its structure was fetched */
  note(summary: MessageSummary, sorted: Readable | undefined): void {
    const from = sorted && { part: previewPart(sorted) };
    this.#waiting.set(summary.uid, { summary, from, slice: undefined });
  }

  /** @throws BrokerError as commands of the connection do, except for refusals that are about single messages */
  async make(): Promise<void> {
    if (this.#waiting.size === 0) return;
    await this.#findParts();
    await this.#fetchSlices();
    for (const waiting of this.#waiting.values()) {
      finish(waiting);
      await breathe();
    }
  }

  async #findParts(): Promise<void> {
    const unknown = [...this.#waiting].filter(([, { from }]) => !from).map(([uid]) => uid);
    if (unknown.length === 0) return;
    const reduce = ({ uid, items }: FetchedRow) => {
      const waiting = this.#waiting.get(uid);
      const structure = items.get('BODYSTRUCTURE');
      if (waiting && structure) waiting.from = { part: previewPart(sortedParts(readStructure(structure).root)) };
      return uid;
    };
    await fetchDivided(
      unknown,
      (uids) => fetchRows(this.#connection, uids.join(','), [atom('BODYSTRUCTURE')], 'uid', { reduce }),
      (uid) => this.#waiting.get(uid)?.from !== undefined,
    );
  }

  async #fetchSlices(): Promise<void> {
    const groups = this.#groups();
    // All in one packet; the responses to one command may come while another is under way.
    const asked = this.#connection.together(() => groups.map((group) => this.#ask(group, group.uids)));
    const answers = await Promise.allSettled(asked);
    const failures = answers.flatMap((answer) => (answer.status === 'rejected' ? [answer.reason] : []));
    for (const failure of failures) if (!isDivisible(failure)) throw failure;
    for (const [index, answer] of answers.entries()) {
      const group = groups[index];
      if (answer.status === 'fulfilled' || !group) continue;
      const has = (uid: number) => this.#waiting.get(uid)?.slice !== undefined;
      const left = group.uids.filter((uid) => !has(uid));
      // What was refused as a whole is asked for in halves at once; a single message was refused for good.
      if (group.uids.length > 1) await fetchDivided(left, (uids) => this.#ask(group, uids), has);
    }
  }

  #groups(): Group[] {
    const groups = new Map<string, Group>();
    for (const [uid, { from }] of this.#waiting) {
      if (!from?.part || from.part.node.encodedSize === 0) continue;
      const { node, length } = from.part;
      const key = `${node.part} ${length}`;
      const group = groups.get(key);
      if (group) group.uids.push(uid);
      else groups.set(key, { section: node.part, length, uids: [uid] });
    }
    return [...groups.values()];
  }

  async #ask({ section, length }: Group, uids: readonly number[]): Promise<void> {
    const items = [atom('UID'), peek(section, { start: 0, length })];
    const FETCH: UntaggedHandler = (response) => this.#take(response);
    await this.#connection.exec('read', 'UID FETCH', [sequence(uids.join(',')), items], { FETCH });
  }

  #take({ items, damaged }: UntaggedResponse): void {
    const uid = nzNumberOf(items.get('UID'));
    const waiting = uid === undefined ? undefined : this.#waiting.get(uid);
    if (!waiting?.from?.part) return;
    const { node, length } = waiting.from.part;
    const item = `BODY[${node.part}]`;
    if (damaged && !items.has(item)) this.#connection.noteUnreadable({ response: 'FETCH', uid, items: [item] });
    const bytes = bytesOf(items.get(item));
    // NIL stands for a part without bytes.
    if (items.has(item)) waiting.slice = Buffer.from((bytes ?? Buffer.alloc(0)).subarray(0, length));
  }
}

function finish({ summary, from, slice }: Waiting): void {
  const empty = from && (!from.part || from.part.node.encodedSize === 0);
  const preview = from?.part && slice ? previewOf(from.part, slice) : null;
  summary.preview = preview;
  summary.previewSource = preview === null ? null : 'broker';
  const unreadable = new Set(summary.unreadable);
  if (preview !== null || empty) unreadable.delete('preview');
  else if (!slice) unreadable.add('preview');
  if (unreadable.size > 0) summary.unreadable = [...unreadable];
  else delete summary.unreadable;
}
