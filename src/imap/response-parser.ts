import type { ImapAttribute, ImapToken } from './raw-exec.js';

/** An untagged FETCH, LIST or STATUS response, in the shape of imapflow's parser. */
export interface QuickResponse {
  tag: '*';
  /** The sequence number of a FETCH, else the keyword. */
  command: string;
  attributes: ImapAttribute[];
}

/** imapflow allows a hundred levels and then drops an item; what comes near is left to it. */
const DEEPEST = 50;
/** Characters of a line without its literals: fewer tokens than imapflow's bound of a million, which is its to hold. */
const LONGEST = 256 * 1024;

const [LF, CR, SPACE, QUOTE, OPEN, CLOSE] = [0x0a, 0x0d, 0x20, 0x22, 0x28, 0x29];
const [STAR, COMMA, ZERO, NINE, COLON, LESS, GREATER] = [0x2a, 0x2c, 0x30, 0x39, 0x3a, 0x3c, 0x3e];
const [BRACKET, BACKSLASH, BRACKET_END, BRACE, BRACE_END, TILDE] = [0x5b, 0x5c, 0x5d, 0x7b, 0x7d, 0x7e];

/** Characters that only go on with an atom. Not among them: those that end it, and `[`, `]`, `,` and `:`, which may. */
const goesOn = new Uint8Array(128);
for (let code = SPACE + 1; code < 0x7f; code += 1) goesOn[code] = 1;
for (const code of [QUOTE, OPEN, CLOSE, STAR, COMMA, COLON, BRACKET, BACKSLASH, BRACKET_END, BRACE]) goesOn[code] = 0;
goesOn[0x25] = 0;

const sectioned = new Set(['BODY', 'BODY.PEEK', 'BINARY', 'BINARY.PEEK']);
const escapes = /\\([\s\S])/g;

/** Made once: to throw it costs no stack. */
const notUnderstood = new Error('Not a line for this parser.');

/**
 * Reads `* 5 FETCH (...)`, or a LIST or STATUS, a line without its end, into exactly what imapflow's parser makes of it, in
 * a fraction of the time: most of what a server sends is such lines. `undefined` for all else and for whatever is odd:
 * that is imapflow's.
 * @param literals the octets of its literals, which are not in the text behind their `{n}`
 */
export function parseQuick(text: string, literals: readonly Buffer[]): QuickResponse | undefined {
  if (text.charCodeAt(0) !== STAR || text.charCodeAt(1) !== SPACE || text.length > LONGEST) return undefined;
  try {
    const listed = listedAt(text);
    if (listed) {
      // Outside of lists imapflow takes a single space only.
      if (text.includes('  ') || text.endsWith(' ')) return undefined;
      // What follows the keyword is read as a list.
      const attributes = new Parser(`${text})`, 3 + listed.length, literals).parse();
      return attributes.length > 0 ? { tag: '*', command: listed, attributes } : undefined;
    }
    let at = 2;
    while (isDigit(text.charCodeAt(at))) at += 1;
    if (at === 2 || !text.startsWith(' FETCH (', at)) return undefined;
    const items = new Parser(text, at + 8, literals).parse();
    return { tag: '*', command: text.slice(2, at), attributes: [{ type: 'ATOM', value: 'FETCH' }, items] };
  } catch {
    return undefined;
  }
}

function listedAt(text: string): 'LIST' | 'STATUS' | undefined {
  if (text.startsWith('LIST ', 2)) return 'LIST';
  return text.startsWith('STATUS ', 2) ? 'STATUS' : undefined;
}

class Parser {
  readonly #text: string;
  readonly #literals: readonly Buffer[];
  #at: number;
  #literal = 0;

  constructor(text: string, at: number, literals: readonly Buffer[]) {
    this.#text = text;
    this.#at = at;
    this.#literals = literals;
  }

  parse(): ImapAttribute[] {
    const items = this.#items(CLOSE, 0);
    while (this.#text.charCodeAt(this.#at) === SPACE) this.#at += 1;
    if (this.#at < this.#text.length || this.#literal < this.#literals.length) throw notUnderstood;
    return items;
  }

  /** What is in a list or section, up to behind the character that closes it. */
  #items(closing: number, depth: number): ImapAttribute[] {
    if (depth > DEEPEST) throw notUnderstood;
    const items: ImapAttribute[] = [];
    for (;;) {
      const code = this.#text.charCodeAt(this.#at);
      if (code === SPACE) {
        this.#at += 1;
      } else if (code === closing) {
        this.#at += 1;
        return items;
      } else if (code === QUOTE) {
        items.push({ type: 'STRING', value: this.#string() });
      } else if (code === OPEN) {
        this.#at += 1;
        items.push(this.#items(CLOSE, depth + 1));
      } else if (code === BRACE || (code === TILDE && this.#text.charCodeAt(this.#at + 1) === BRACE)) {
        if (code === TILDE) this.#at += 1;
        items.push({ type: 'LITERAL', value: this.#takeLiteral() });
      } else {
        items.push(this.#atom(closing, depth));
      }
    }
  }

  #string(): string {
    const text = this.#text;
    const start = this.#at + 1;
    let escaped = false;
    let at = start;
    for (let code = text.charCodeAt(at); code !== QUOTE; at += 1, code = text.charCodeAt(at)) {
      if (code === BACKSLASH) {
        escaped = true;
        at += 1;
      }
      if (at >= text.length) throw notUnderstood;
    }
    this.#at = at + 1;
    const value = text.slice(start, at);
    return escaped ? value.replace(escapes, '$1') : value;
  }

  #takeLiteral(): Buffer {
    const length = this.#number(this.#at + 1);
    if (this.#text.charCodeAt(this.#at) !== BRACE_END) throw notUnderstood;
    this.#at += 1;
    if (this.#text.charCodeAt(this.#at) === CR) this.#at += 1;
    const bytes = this.#literals[this.#literal];
    if (this.#text.charCodeAt(this.#at) !== LF || bytes?.length !== length) throw notUnderstood;
    this.#at += 1;
    this.#literal += 1;
    return bytes;
  }

  #atom(closing: number, depth: number): ImapAttribute {
    const text = this.#text;
    const start = this.#at;
    const first = text.charCodeAt(start);
    const starts = first < 128 ? goesOn[first] === 1 || first === BACKSLASH : first >= 128;
    // In these places imapflow has rules of its own.
    if (!starts || first === LESS || first === TILDE) throw notUnderstood;
    for (let at = start + 1; ; at += 1) {
      const code = text.charCodeAt(at);
      if (code < 128 ? goesOn[code] === 1 : code >= 128) continue;
      if (code === BRACKET_END && closing !== BRACKET_END) continue;
      // Behind digits alone these make a sequence set.
      if ((code === COMMA || code === COLON) && !isNumber(text, start, at)) continue;
      if (code === BRACKET) {
        if (!sectioned.has(text.slice(start, at).toUpperCase())) continue;
        this.#at = at + 1;
        return this.#sectioned(text.slice(start, at), closing, depth);
      }
      if (code !== SPACE && code !== closing) throw notUnderstood;
      this.#at = at;
      const value = text.slice(start, at);
      return value.length === 3 && value.toUpperCase() === 'NIL' ? null : { type: 'ATOM', value };
    }
  }

  #sectioned(name: string, closing: number, depth: number): ImapToken {
    if (closing !== CLOSE) throw notUnderstood;
    const token: ImapToken & { partial?: number[] } = { type: 'ATOM', value: name };
    token.section = this.#items(BRACKET_END, depth + 1);
    if (this.#text.charCodeAt(this.#at) === LESS) {
      token.partial = [this.#number(this.#at + 1)];
      if (this.#text.charCodeAt(this.#at) !== GREATER) throw notUnderstood;
      this.#at += 1;
    }
    return token;
  }

  /** A number without a zero before it, of so few digits that it is exact. */
  #number(start: number): number {
    let at = start;
    while (isDigit(this.#text.charCodeAt(at))) at += 1;
    const length = at - start;
    if (length === 0 || length > 15 || (length > 1 && this.#text.charCodeAt(start) === ZERO)) throw notUnderstood;
    this.#at = at;
    return Number(this.#text.slice(start, at));
  }
}

function isNumber(text: string, start: number, end: number): boolean {
  for (let at = start; at < end; at += 1) if (!isDigit(text.charCodeAt(at))) return false;
  return true;
}

function isDigit(code: number): boolean {
  return code >= ZERO && code <= NINE;
}
