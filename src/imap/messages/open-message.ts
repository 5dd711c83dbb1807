import type { Envelope, Structure } from '../../protocol/models.js';
import type { ImapConnection } from '../connection/connection.js';
import { toEnvelope } from '../mime/envelope.js';
import { type Content, decodeTexts, textsWanted } from '../mime/open-text.js';
import { type ReadStructure, readStructure } from '../mime/structure.js';
import { type Readable, readable } from '../mime/structure-readable.js';
import { toFlags } from '../wire/convert.js';
import { atom, bytesOf, numberOf, textOf } from '../wire/tokens.js';
import { breathe } from '../wire/turn-budget.js';
import { type FetchedRow, peek } from './fetch-rows.js';
import { toInternalDate } from './rows/row-items.js';
import { TextBytes, type Texts } from './text-bytes.js';

/** Most bytes of a message's header that are read. */
const HEADER_BYTES = 256 * 1024;
/** Most encoded bytes of texts that are fetched for one request; more would not fit into the answer. */
const FETCHED_BYTES = 8 * 1024 * 1024;
/** Encoded bytes that one FETCH of texts asks for; a single message may have more. */
const BATCH_BYTES = 4 * 1024 * 1024;

/** Which parts of messages are to be fetched. */
export interface OpenOptions {
  headers: boolean;
  /** Most bytes of each body; 0 for no texts. */
  maxTextBytes: number;
  /** The only body that is wanted; undefined for both. */
  only?: 'text' | 'html' | undefined;
}

export interface OpenedMessage {
  uid: number;
  flags: string[];
  envelope: Envelope;
  /** RFC822.SIZE; 0 where the server sends none. */
  size: number;
  internalDate: string;
  /** Members that are missing or incomplete, because the server's response is damaged or over a limit. */
  unreadable: string[];
  structure: ReadStructure;
  readable: Readable;
  header: Buffer | null;
  /** Whether the header was cut. */
  headerCut: boolean;
  /** Texts by part; only of parts that were wanted and fetched. */
  contents: ReadonlyMap<string, Content>;
  /** Whether texts were left out because those of other messages already fill the answer. */
  omitted: boolean;
}

/**
 * Fetches messages with everything that a mail reader shows. One round trip where it brings the texts as well; else one
 * more for the texts of all messages with the same structure. Messages that are gone are left out.
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

/** Members of the answer, by the FETCH item that they come from. */
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

/** Groups messages that lack the same ranges of the same parts: a group, up to {@link BATCH_BYTES}, shares a FETCH. */
function batches(opened: readonly OpenedMessage[], options: OpenOptions, fetched: TextBytes): Batch[] {
  const open = new Map<string, Batch>();
  const full: Batch[] = [];
  for (const message of opened) {
    const wanted = textsWanted(bodiesOf(message, options), options.maxTextBytes);
    const texts = { uid: message.uid, wanted: wanted.filter(({ node }) => node.encodedSize !== 0) };
    const lacking = fetched.lacking(texts);
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

/** The wanted bodies of a message. */
function bodiesOf({ readable }: OpenedMessage, { only }: OpenOptions): Structure[][] {
  return [only === 'html' ? [] : readable.textBody, only === 'text' ? [] : readable.htmlBody];
}
