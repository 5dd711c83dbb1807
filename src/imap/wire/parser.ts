import { serverText } from './errors.js';
import { wireLimits } from './limits.js';
import type { Response, StatusText, TaggedResponse, UntaggedResponse } from './response.js';
import { closes, TokenReader } from './token-reader.js';
import { type ImapAttribute, textOf } from './tokens.js';

const [SPACE, OPEN, STAR, PLUS, BRACKET] = [0x20, 0x28, 0x2a, 0x2b, 0x5b];
const [ZERO, NINE] = [0x30, 0x39];
const CLOSE = closes.list;

const noItems: ReadonlyMap<string, ImapAttribute> = new Map();
const none: readonly never[] = [];
const statuses = new Set(['OK', 'NO', 'BAD', 'BYE', 'PREAUTH']);

/**
 * Parses one response, whatever it contains: never throws, and the work is bounded by `wireLimits`.
 * @param lines from a {@link Splitter}; each but the last ends with the `{n}` of a literal
 * @param cut whether the end of the response was not kept
 */
export function readResponse(lines: readonly Buffer[], literals: readonly Buffer[], cut = false): Response {
  const first = lines[0]?.[0];
  if (first === PLUS) return { kind: 'continuation' };
  if (first !== STAR || lines[0]?.[1] !== SPACE) return readTagged(new TokenReader(lines, literals));
  const response = readUntagged(lines, literals, cut);
  // For a human-readable text the beginning is enough.
  if (cut && !response.status) response.damaged = true;
  return response;
}

function readTagged(reader: TokenReader): TaggedResponse {
  const tag = reader.word();
  const status = serverText(reader.word()).toUpperCase();
  const { text, damaged } = readStatus(reader);
  return { kind: 'tagged', tag, status, text, damaged };
}

function readUntagged(lines: readonly Buffer[], literals: readonly Buffer[], cut: boolean): UntaggedResponse {
  const response: UntaggedResponse = {
    kind: 'untagged',
    keyword: '',
    number: undefined,
    attributes: [],
    items: noItems,
    cut: none,
    numbers: none,
    status: undefined,
    raw: '',
    damaged: false,
    size: 0,
  };
  const reader = new TokenReader(lines, literals, cut);
  reader.at = 2;
  response.keyword = reader.word().toUpperCase();
  if (isDigits(response.keyword)) {
    response.number = response.keyword.length > 10 ? Number.NaN : Number(response.keyword);
    // A count or sequence number has 32 bits (RFC 9051 section 9).
    response.damaged = !(response.number <= 4_294_967_295);
    response.keyword = reader.word().toUpperCase();
  }
  if (response.keyword === 'FETCH') readFetch(response, reader);
  else readRest(response, reader);
  return response;
}

function readRest(response: UntaggedResponse, reader: TokenReader): void {
  const { keyword } = response;
  if (statuses.has(keyword)) {
    const { text, damaged } = readStatus(reader);
    response.status = text;
    response.damaged = damaged;
  } else if (keyword === 'THREAD') {
    response.raw = reader.text.slice(reader.at);
  } else {
    if (keyword === 'SEARCH' || keyword === 'SORT') response.numbers = readNumbers(reader);
    const { attributes, damaged } = reader.all();
    response.attributes = attributes;
    response.damaged ||= damaged || reader.cut;
  }
}

/** Parses `[CODE arguments] text`, of which each part may be missing. */
function readStatus(reader: TokenReader): { text: StatusText; damaged: boolean } {
  const text: StatusText = { code: undefined, codeArgs: [], text: '' };
  let damaged = false;
  if (reader.next() === BRACKET) {
    const begun = reader.at;
    reader.at += 1;
    try {
      const [code, ...args] = reader.list(closes.section, 0);
      text.code = serverText(textOf(code)).toUpperCase() || undefined;
      text.codeArgs = args;
      reader.next();
    } catch (error) {
      if (!TokenReader.isCutShort(error)) throw error;
      reader.at = begun;
      damaged = true;
    }
  }
  text.text = serverText(reader.rest());
  return { text, damaged };
}

/** Reads numbers up to the first other token; numbers beyond 32 bits are dropped, as no message can have them. */
function readNumbers(reader: TokenReader): number[] {
  const { text } = reader;
  const numbers: number[] = [];
  let at = reader.at;
  for (;;) {
    while (text.charCodeAt(at) === SPACE) at += 1;
    let number = 0;
    const start = at;
    for (let code = text.charCodeAt(at); code >= ZERO && code <= NINE; at += 1, code = text.charCodeAt(at)) {
      number = number * 10 + code - ZERO;
    }
    if (at === start) break;
    if (number > 0 && number <= 4_294_967_295) numbers.push(number);
  }
  reader.at = at;
  return numbers;
}

/** Parses the items of a FETCH response, each within its own limits: an item that is too large affects no other. */
function readFetch(response: UntaggedResponse, reader: TokenReader): void {
  const items = new Map<string, ImapAttribute>();
  const cut: string[] = [];
  response.items = items;
  response.cut = cut;
  reader.members = wireLimits.members;
  if (reader.next() !== OPEN) {
    response.damaged = true;
    return;
  }
  reader.at += 1;
  try {
    for (let count = 0; reader.next() !== CLOSE; count += 1) {
      // The broker never requests so many items.
      if (count >= wireLimits.members) throw new RangeError('too many items');
      reader.budget = wireLimits.tokens;
      reader.cut = false;
      const name = itemName(reader.token(CLOSE, 0));
      if (reader.next() === CLOSE) break;
      const value = reader.token(CLOSE, 0);
      items.set(name, value);
      if (reader.cut) cut.push(name);
    }
  } catch (error) {
    if (!TokenReader.isCutShort(error) && !(error instanceof RangeError)) throw error;
    response.damaged = true;
    noteUid(items, reader.text);
  }
}

/** Looks for the uid of a damaged row in the part that could not be parsed. */
function noteUid(items: Map<string, ImapAttribute>, text: string): void {
  if (items.has('UID')) return;
  const uid = /[( ]UID (\d{1,10})[) ]/.exec(text)?.[1];
  if (uid !== undefined) items.set('UID', { type: 'ATOM', value: uid });
}

/** The key of an item: for `BODY[HEADER.FIELDS (SUBJECT)]<0>` it is `BODY[HEADER.FIELDS]`. */
function itemName(attribute: ImapAttribute): string {
  const name = textOf(attribute).toUpperCase();
  if (!attribute || Array.isArray(attribute) || !attribute.section) return name;
  return `${name}[${textOf(attribute.section[0]).toUpperCase()}]`;
}

function isDigits(text: string): boolean {
  const code = text.charCodeAt(0);
  return code >= ZERO && code <= NINE && /^\d+$/.test(text);
}
