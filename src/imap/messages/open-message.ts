import type { Envelope, Structure } from '../../protocol/models.js';
import type { ImapConnection } from '../connection/connection.js';
import { toEnvelope } from '../mime/envelope.js';
import { type Content, decodeTexts, textsWanted } from '../mime/open-text.js';
import { type ReadStructure, readStructure } from '../mime/structure.js';
import { type Readable, readable } from '../mime/structure-readable.js';
import { toFlags } from '../wire/convert.js';
import { atom, bytesOf, numberOf, textOf } from '../wire/tokens.js';
import { breathe } from '../wire/turn-budget.js';
import { toInternalDate } from './fetch.js';
import { type FetchedRow, peek } from './fetch-rows.js';
import { TextBytes, type Texts } from './text-bytes.js';

/** Bytes of a message's header that are read; no reader looks at more of them. */
const HEADER_BYTES = 256 * 1024;
/** Encoded bytes of texts that are fetched for one request; what is over that could not be answered. */
const FETCHED_BYTES = 8 * 1024 * 1024;
/** Encoded bytes that one FETCH of texts asks for, as far as messages can be shared out. */
const BATCH_BYTES = 4 * 1024 * 1024;

/** What of messages is to be opened. */
export interface OpenOptions {
  headers: boolean;
  /** Of each body; 0 for no texts. */
  maxTextBytes: number;
  /** The one body that is wanted, if not both are. */
  only?: 'text' | 'html' | undefined;
}

export interface OpenedMessage {
  uid: number;
  flags: string[];
  envelope: Envelope;
  /** RFC822.SIZE; 0 where the server tells none. */
  size: number;
  internalDate: string;
  /** Members that the server's answer has not, or only in part: it is damaged, or over a limit. */
  unreadable: string[];
  structure: ReadStructure;
  readable: Readable;
  header: Buffer | null;
  /** Whether there is more of the header. */
  headerCut: boolean;
  /** By part; of those alone that were wanted and have been fetched. */
  contents: ReadonlyMap<string, Content>;
  /** Whether texts were not fetched because those of other messages were enough for one answer. */
  omitted: boolean;
}

/**
 * Fetches messages with what a reader shows of them: one round trip where that brings the texts too, else another for the
 * texts of all messages of the same shape. Messages that are gone are left out.
 */
export async function openMessages(
  connection: ImapConnection,
  uids: readonly number[],
  options: OpenOptions,
): Promise<OpenedMessage[]> {
  const items = ['FLAGS', 'RFC822.SIZE', 'INTERNALDATE', 'ENVELOPE', 'BODYSTRUCTURE'].map(atom);
  const header = options.headers ? [peek('HEADER', { start: 0, length: HEADER_BYTES })] : [];
  const bytes = new TextBytes(connection, options.maxTextBytes, options.only);
  const opened = await bytes.fetchWith(uids, [...items, ...header], (row) => toOpened(row, options));
  if (options.maxTextBytes > 0) await fillTexts(opened, options, bytes);
  return opened;
}

/** Members of the answer by the item that they are made of. */
const madeOf: Record<string, string> = {
  FLAGS: 'flags',
  ENVELOPE: 'envelope',
  'RFC822.SIZE': 'size',
  INTERNALDATE: 'internalDate',
  BODYSTRUCTURE: 'structure',
  'BODY[HEADER]': 'headers',
};

function toOpened({ uid, items, unreadable }: FetchedRow, { headers }: OpenOptions): OpenedMessage {
  const structure = readStructure(items.get('BODYSTRUCTURE'));
  const header = headers ? (bytesOf(items.get('BODY[HEADER]')) ?? Buffer.alloc(0)) : null;
  return {
    uid,
    flags: toFlags(items.get('FLAGS')),
    envelope: toEnvelope(items.get('ENVELOPE'), structure.charset),
    size: numberOf(items.get('RFC822.SIZE')) ?? 0,
    internalDate: toInternalDate(textOf(items.get('INTERNALDATE'))),
    unreadable: [...unreadable].flatMap((item) => madeOf[item] ?? []),
    structure,
    readable: readable(structure.root),
    header: header && header.length > HEADER_BYTES ? Buffer.from(header.subarray(0, HEADER_BYTES)) : header,
    headerCut: (header?.length ?? 0) >= HEADER_BYTES,
    contents: new Map(),
    omitted: false,
  };
}

async function fillTexts(opened: readonly OpenedMessage[], options: OpenOptions, bytes: TextBytes): Promise<void> {
  let left = FETCHED_BYTES;
  for (const batch of batches(opened, options, bytes)) {
    if (left <= 0) {
      for (const { message } of batch.messages) message.omitted = true;
      continue;
    }
    left -= batch.bytes;
    await bytes.fetch(batch.messages.map(({ texts }) => texts));
    for (const { message } of batch.messages) {
      const encoded = (node: Structure) =>
        node.encodedSize === 0 ? Buffer.alloc(0) : bytes.of(message.uid, node.part);
      message.contents = decodeTexts(bodiesOf(message, options), options.maxTextBytes, encoded);
      await breathe();
    }
  }
}

interface Batch {
  messages: { message: OpenedMessage; texts: Texts }[];
  bytes: number;
}

/** Messages that lack the same of the same parts can share a FETCH; a few bytes too many are asked for at once. */
function batches(opened: readonly OpenedMessage[], options: OpenOptions, known: TextBytes): Batch[] {
  const open = new Map<string, Batch>();
  const full: Batch[] = [];
  for (const message of opened) {
    const wanted = textsWanted(bodiesOf(message, options), options.maxTextBytes);
    const texts = { uid: message.uid, wanted: wanted.filter(({ node }) => node.encodedSize !== 0) };
    const lacking = known.lacking(texts);
    const shape = lacking.map(({ part, start, length }) => `${part}:${start}:${length}`).join(' ');
    const sizes = new Map(wanted.map(({ node }) => [node.part, node.encodedSize ?? 0]));
    const bytes = lacking.reduce((sum, { part, length }) => sum + Math.min(sizes.get(part) ?? 0, length), 0);
    const batch = open.get(shape);
    if (batch && batch.bytes + bytes <= BATCH_BYTES) {
      batch.messages.push({ message, texts });
      batch.bytes += bytes;
    } else {
      if (batch) full.push(batch);
      open.set(shape, { messages: [{ message, texts }], bytes });
    }
  }
  return [...full, ...open.values()];
}

/** The bodies that are wanted of a message. */
function bodiesOf({ readable }: OpenedMessage, { only }: OpenOptions): Structure[][] {
  return [only === 'html' ? [] : readable.textBody, only === 'text' ? [] : readable.htmlBody];
}
