import { BrokerError } from '../protocol/errors.js';
import type { Structure } from '../protocol/models.js';
import type { ImapConnection } from './connection.js';
import { bytesOf, type FetchedRow, fetchRows, peek, survivingExpunge } from './fetch-rows.js';
import { type Content, encodedBound, toContent } from './open-text.js';
import { atom } from './raw-exec.js';
import { toStructure } from './structure.js';
import { type Readable, readable } from './structure-readable.js';

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
 * Fetches messages with what a reader shows of them: one round trip for all structures, then one for the texts of all
 * messages of the same shape. Messages that are gone are left out.
 * @throws BrokerError TOO_LARGE when the answer would be
 */
export async function openMessages(
  connection: ImapConnection,
  uids: readonly number[],
  options: { headers: boolean; maxTextBytes: number },
): Promise<OpenedMessage[]> {
  const items = ['FLAGS', 'ENVELOPE', 'RFC822.SIZE', 'INTERNALDATE', 'BODYSTRUCTURE'].map(atom);
  const header = options.headers ? [peek('HEADER', { start: 0, length: HEADER_BYTES })] : [];
  const rows = await survivingExpunge(connection, () =>
    fetchRows(connection, uids.join(','), [...items, ...header], 'uid'),
  );
  const opened = rows.map((row): OpenedMessage => {
    const structure = toStructure(row.items.get('BODYSTRUCTURE'));
    const header = options.headers ? (bytesOf(row.items.get('BODY[HEADER]')) ?? Buffer.alloc(0)) : null;
    return { row, structure, readable: readable(structure), header, text: null, html: null };
  });
  const budget = new Budget();
  for (const { header } of opened) budget.spend(header?.length ?? 0);
  if (options.maxTextBytes > 0) await fillTexts(connection, opened, options.maxTextBytes, budget);
  return opened;
}

async function fillTexts(
  connection: ImapConnection,
  opened: readonly OpenedMessage[],
  maxBytes: number,
  budget: Budget,
): Promise<void> {
  for (const batch of batches(opened, maxBytes)) {
    const found = await fetchTexts(connection, batch, maxBytes);
    for (const message of batch) {
      const items = found.get(message.row.uid);
      const encoded = ({ part }: Structure) => bytesOf(items?.get(`BODY[${part}]`)) ?? Buffer.alloc(0);
      message.text = toContent(message.readable.text, encoded, maxBytes);
      message.html = toContent(message.readable.html, encoded, maxBytes);
      budget.spend(message.text?.bytes ?? 0);
      budget.spend(message.html?.bytes ?? 0);
    }
  }
}

async function fetchTexts(
  connection: ImapConnection,
  batch: readonly OpenedMessage[],
  maxBytes: number,
): Promise<Map<number, FetchedRow['items']>> {
  const [first] = batch;
  const nodes = first ? shown(first) : [];
  if (nodes.length === 0) return new Map();
  const items = nodes.map((node) => peek(node.part, { start: 0, length: encodedBound(node, maxBytes) }));
  const set = batch.map(({ row }) => row.uid).join(',');
  const rows = await survivingExpunge(connection, () => fetchRows(connection, set, items, 'uid'));
  return new Map(rows.map(({ uid, items: found }) => [uid, found]));
}

/** Messages whose texts lie in the same parts can share a FETCH; a few bytes too many are asked for at once. */
function batches(opened: readonly OpenedMessage[], maxBytes: number): OpenedMessage[][] {
  const open = new Map<string, { messages: OpenedMessage[]; bytes: number }>();
  const full: OpenedMessage[][] = [];
  for (const message of opened) {
    const nodes = shown(message);
    const shape = nodes.map((node) => `${node.part}:${encodedBound(node, maxBytes)}`).join(' ');
    const bytes = nodes.reduce((sum, node) => sum + Math.min(node.size ?? 0, encodedBound(node, maxBytes)), 0);
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

function shown({ readable: { text, html } }: OpenedMessage): Structure[] {
  return [...text, ...html].filter(({ size }) => size !== 0);
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
