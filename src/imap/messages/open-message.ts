import { BrokerError } from '../../protocol/errors.js';
import type { Envelope, Structure } from '../../protocol/models.js';
import type { ImapConnection } from '../connection/connection.js';
import { toEnvelope } from '../mime/envelope.js';
import { type Content, decodeTexts, textsWanted } from '../mime/open-text.js';
import { attachedOf, type ReadStructure, readStructure } from '../mime/structure.js';
import { type Readable, readable } from '../mime/structure-readable.js';
import { toFlags } from '../wire/convert.js';
import { atom, bytesOf, type ImapArgument, type ImapAttribute, numberOf, textOf } from '../wire/tokens.js';
import { breathe } from '../wire/turn-budget.js';
import { type FetchedRow, fetchRows, peek, peekHeaders } from './fetch-rows.js';
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
  /** The message that is attached as this part; undefined for the messages themselves. */
  part?: string | undefined;
  /** Whether all header lines are wanted, or the names of those that are. */
  headers: boolean | readonly string[];
  /** Most bytes of each body; 0 for no texts. */
  maxTextBytes: number;
  /** The only body that is wanted; undefined for both. */
  only?: 'text' | 'html' | undefined;
}

export interface OpenedMessage {
  uid: number;
  flags: string[];
  envelope: Envelope;
  /** RFC822.SIZE, or the size of the attached message; 0 where the server sends none. */
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
 * @throws BrokerError NOT_FOUND or INVALID_PARAMS where `part` is no attached message
 */
export async function openMessages(
  connection: ImapConnection,
  uids: readonly number[],
  options: OpenOptions,
): Promise<OpenedMessage[]> {
  const { part, maxTextBytes, only } = options;
  const own = part === undefined ? ['RFC822.SIZE', 'ENVELOPE'] : [];
  const items = ['FLAGS', 'INTERNALDATE', ...own, 'BODYSTRUCTURE'].map(atom);
  const bytes = new TextBytes(connection, maxTextBytes, only, part);
  const reduce = (row: FetchedRow) => toOpened(row, options);
  const opened = await bytes.fetchWith(uids, [...items, ...headerItems(options)], reduce).catch(async (failure) => {
    // A server may refuse what belongs to a part that is no message: the structure tells whether it is one.
    if (part !== undefined && failure instanceof BrokerError && failure.kind === 'IMAP_NO') {
      await fetchRows(connection, uids.join(','), items, 'uid', { reduce });
    }
    throw failure;
  });
  if (maxTextBytes > 0) await fillTexts(opened, options, bytes);
  return opened;
}

function headerItems({ headers, part }: OpenOptions): ImapArgument[] {
  const partial = { start: 0, length: HEADER_BYTES };
  if (typeof headers === 'object') return [peekHeaders(headers, { part, partial })];
  return headers ? [peek(part === undefined ? 'HEADER' : `${part}.HEADER`, partial)] : [];
}

/** Members of the answer, by the FETCH item that they come from. */
const madeOf: Record<string, string> = {
  FLAGS: 'flags',
  ENVELOPE: 'envelope',
  'RFC822.SIZE': 'size',
  INTERNALDATE: 'internalDate',
  BODYSTRUCTURE: 'structure',
  HEADER: 'headers',
};

function toOpened({ uid, items, unreadable }: FetchedRow, options: OpenOptions): OpenedMessage {
  const { envelope, size, structure } = described({ uid, items, unreadable }, options.part);
  const header = headerOf(items, options);
  return {
    uid,
    flags: toFlags(items.get('FLAGS')),
    envelope,
    size,
    internalDate: toInternalDate(textOf(items.get('INTERNALDATE'))),
    unreadable: [...unreadable].flatMap((item) => madeOf[item.includes('HEADER') ? 'HEADER' : item] ?? []),
    structure,
    readable: readable(structure.root),
    header: header && header.length > HEADER_BYTES ? Buffer.from(header.subarray(0, HEADER_BYTES)) : header,
    headerCut: (header?.length ?? 0) >= HEADER_BYTES,
    contents: new Map(),
    omitted: false,
  };
}

/** What the server tells of a message, or of the one attached as a part of it. */
function described(
  { uid, items, unreadable }: FetchedRow,
  part: string | undefined,
): Pick<OpenedMessage, 'envelope' | 'size' | 'structure'> {
  const attribute = items.get('BODYSTRUCTURE');
  if (part !== undefined) return requireAttached(attribute, uid, part, unreadable.has('BODYSTRUCTURE'));
  const structure = readStructure(attribute);
  const envelope = toEnvelope(items.get('ENVELOPE'), structure.charset);
  return { envelope, size: numberOf(items.get('RFC822.SIZE')) ?? 0, structure };
}

/**
 * The message that is attached as a part.
 * @param cut whether the server's answer is over a limit or damaged, so that it may lack the part
 * @throws BrokerError NOT_FOUND without such a part, INVALID_PARAMS where it is no message that the server looks into
 */
export function requireAttached(attribute: ImapAttribute | undefined, uid: number, part: string, cut = false) {
  const attached = attachedOf(attribute, part);
  if (typeof attached === 'object') return attached;
  const field = { field: 'part' };
  if (attached === 'absent') {
    const where = cut ? 'within what the broker can read of its structure' : '';
    throw new BrokerError(
      'NOT_FOUND',
      `part: message ${uid} has no part ${part} ${where}`.trimEnd().concat('.'),
      field,
    );
  }
  const why =
    attached === 'encoded'
      ? 'is a message in a transfer encoding, into which the IMAP server does not look'
      : 'is no message of which the IMAP server tells the structure';
  throw new BrokerError('INVALID_PARAMS', `part: part ${part} of message ${uid} ${why}; message.part sends it.`, field);
}

function headerOf(items: FetchedRow['items'], { headers, part }: OpenOptions): Buffer | null {
  if (headers === false) return null;
  const item = `${part === undefined ? '' : `${part}.`}HEADER${headers === true ? '' : '.FIELDS'}`;
  return bytesOf(items.get(`BODY[${item}]`)) ?? Buffer.alloc(0);
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
