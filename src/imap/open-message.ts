import { BrokerError } from '../protocol/errors.js';
import type { Structure } from '../protocol/models.js';
import type { ImapConnection } from './connection.js';
import { bytesOf, type FetchedRow, peek } from './fetch-rows.js';
import { type Content, toContent } from './mime/open-text.js';
import { toStructure } from './mime/structure.js';
import { type Readable, readable } from './mime/structure-readable.js';
import { atom } from './raw-exec.js';
import { TextBytes, type Texts } from './text-bytes.js';

/** Bytes of a message's header that are read; nobody looks at more of them. */
const HEADER_BYTES = 1024 * 1024;
/** Decoded bytes of text, html and headers in one answer: it travels as one frame. */
const ANSWER_BYTES = 4 * 1024 * 1024;
/** Encoded bytes that one FETCH of texts asks for, as far as messages can be shared out. */
const BATCH_BYTES = 4 * 1024 * 1024;

export interface OpenedMessage {
  row: FetchedRow;
  structure: Structure;
  readable: Readable;
  header: Buffer | null;
  text: Content | null;
  html: Content | null;
}

/**
 * Fetches messages with what a reader shows of them: one round trip where that brings the texts too, else another for the
 * texts of all messages of the same shape. Messages that are gone are left out.
 * @throws BrokerError TOO_LARGE when the answer would be
 */
export async function openMessages(
  connection: ImapConnection,
  uids: readonly number[],
  options: { headers: boolean; maxTextBytes: number },
): Promise<OpenedMessage[]> {
  const items = ['FLAGS', 'ENVELOPE', 'RFC822.SIZE', 'INTERNALDATE', 'BODYSTRUCTURE'].map(atom);
  const header = options.headers ? [peek('HEADER', { start: 0, length: HEADER_BYTES })] : [];
  const bytes = new TextBytes(connection, options.maxTextBytes);
  const rows = await bytes.fetchWith(uids, [...items, ...header]);
  const opened = rows.map((row): OpenedMessage => {
    const structure = toStructure(row.items.get('BODYSTRUCTURE'));
    const header = options.headers ? (bytesOf(row.items.get('BODY[HEADER]')) ?? Buffer.alloc(0)) : null;
    return { row, structure, readable: readable(structure), header, text: null, html: null };
  });
  const budget = new Budget();
  for (const { header } of opened) budget.spend(header?.length ?? 0);
  if (options.maxTextBytes > 0) await fillTexts(opened, options.maxTextBytes, bytes, budget);
  return opened;
}

async function fillTexts(
  opened: readonly OpenedMessage[],
  maxBytes: number,
  bytes: TextBytes,
  budget: Budget,
): Promise<void> {
  for (const batch of batches(opened, bytes)) {
    await bytes.fetch(batch.map(textsOf));
    for (const message of batch) {
      const encoded = (node: Structure) => (node.size === 0 ? Buffer.alloc(0) : bytes.of(message.row.uid, node));
      message.text = toContent(message.readable.text, encoded, maxBytes);
      message.html = toContent(message.readable.html, encoded, maxBytes);
      budget.spend(message.text?.bytes ?? 0);
      budget.spend(message.html?.bytes ?? 0);
    }
  }
}

/** Messages that lack the same of the same parts can share a FETCH; a few bytes too many are asked for at once. */
function batches(opened: readonly OpenedMessage[], texts: TextBytes): OpenedMessage[][] {
  const open = new Map<string, { messages: OpenedMessage[]; bytes: number }>();
  const full: OpenedMessage[][] = [];
  for (const message of opened) {
    const lacking = texts.lacking(textsOf(message));
    const shape = lacking.map(({ part, start, length }) => `${part}:${start}:${length}`).join(' ');
    const sizes = new Map(textsOf(message).nodes.map(({ part, size }) => [part, size ?? 0]));
    const bytes = lacking.reduce((sum, { part, length }) => sum + Math.min(sizes.get(part) ?? 0, length), 0);
    const batch = open.get(shape);
    if (batch && batch.bytes + bytes <= BATCH_BYTES) {
      batch.messages.push(message);
      batch.bytes += bytes;
    } else {
      if (batch) full.push(batch.messages);
      open.set(shape, { messages: [message], bytes });
    }
  }
  return [...full, ...[...open.values()].map(({ messages }) => messages)];
}

function textsOf({ row, readable: { text, html } }: OpenedMessage): Texts {
  return { uid: row.uid, nodes: [...text, ...html].filter(({ size }) => size !== 0) };
}

/** Bytes that the answer may still grow by. */
class Budget {
  #left = ANSWER_BYTES;

  spend(bytes: number): void {
    this.#left -= bytes;
    if (this.#left >= 0) return;
    const message = `The answer is over ${ANSWER_BYTES} bytes: ask for fewer uids, or lower maxTextBytes.`;
    throw new BrokerError('TOO_LARGE', message, { field: 'uids' });
  }
}
