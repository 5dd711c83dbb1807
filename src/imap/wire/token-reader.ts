import { isAscii, isUtf8 } from 'node:buffer';
import { wireLimits } from './limits.js';
import type { ImapAttribute, ImapToken } from './tokens.js';

const [LF, CR, SPACE, QUOTE, OPEN, CLOSE] = [0x0a, 0x0d, 0x20, 0x22, 0x28, 0x29];
const [ZERO, NINE, LESS] = [0x30, 0x39, 0x3c];
const [BRACKET, BACKSLASH, BRACKET_END, BRACE, BRACE_END, TILDE] = [0x5b, 0x5c, 0x5d, 0x7b, 0x7d, 0x7e];

/** Latin-1 characters that always continue an atom; all others may end an atom or begin another token. */
const goesOn = new Uint8Array(256).fill(1);
for (let code = 0; code <= SPACE; code += 1) goesOn[code] = 0;
for (const code of [QUOTE, OPEN, CLOSE, BRACKET, BRACKET_END, BRACE, BACKSLASH, 0x7f]) goesOn[code] = 0;

const sectioned = new Set(['BODY', 'BODY.PEEK', 'BINARY', 'BINARY.PEEK']);
const LONGEST_SECTIONED = 'BINARY.PEEK'.length;
const eightBit = /[\x80-\xff]/;

/** Thrown when the response ends within a token or list. Made once, so that a throw records no stack. */
const cutShort = new Error('The response ends too soon.');

/**
 * Reads the tokens of one response. Servers deviate from the grammar, so the reader accepts whatever it can; what
 * exceeds a limit is skipped, and `cut` is set.
 */
export class TokenReader {
  /** Where the next token begins. */
  at = 0;
  /** Whether something was skipped because of a limit. The parser of FETCH responses resets it before each item. */
  cut = false;
  /** Tokens that may still be read. */
  budget: number = wireLimits.tokens;
  /** The lines in latin1, with `{n}` and a line end in place of each literal. */
  readonly text: string;
  /** Members that one list may have; more are cut. */
  members: number = wireLimits.tokens;
  readonly #literals: readonly Buffer[];
  readonly #plain: boolean;
  readonly #incomplete: boolean;
  #literal = 0;

  /** @param incomplete whether the end of the response was not kept */
  constructor(lines: readonly Buffer[], literals: readonly Buffer[], incomplete = false) {
    let text = '';
    let plain = true;
    const last = lines.length - 1;
    for (const [index, line] of lines.entries()) {
      // The line end is cut from the octets: a slice of a long string takes twice as long to read.
      text += line.toString('latin1', 0, index === last ? lengthWithoutEnd(line) : line.length);
      plain &&= isAscii(line);
    }
    this.text = text;
    this.#plain = plain;
    this.#literals = literals;
    this.#incomplete = incomplete;
  }

  /** Skips blanks. @returns the code of the next character; NaN at the end */
  next(): number {
    while (this.text.charCodeAt(this.at) === SPACE) this.at += 1;
    return this.text.charCodeAt(this.at);
  }

  /** The characters up to the next blank or the end: a tag, a keyword. */
  word(): string {
    const end = this.text.indexOf(' ', this.at);
    const word = this.text.slice(this.at, end < 0 ? undefined : end);
    this.at = end < 0 ? this.text.length : end + 1;
    return word;
  }

  /** The rest of the response, decoded as UTF-8 if the octets are valid UTF-8. */
  rest(): string {
    const rest = this.text.slice(this.at);
    this.at = this.text.length;
    return this.#recode(rest).toString();
  }

  /** All attributes up to the end. Never throws: an unfinished list or string makes the result `damaged`. */
  all(): { attributes: ImapAttribute[]; damaged: boolean } {
    const attributes: ImapAttribute[] = [];
    try {
      for (let code = this.next(); !Number.isNaN(code); code = this.next()) {
        // A closing parenthesis without an open list is ignored.
        if (code === CLOSE) this.at += 1;
        else if (this.budget <= 0) return { attributes, damaged: true };
        else attributes.push(this.token(0, 0));
      }
      return { attributes, damaged: false };
    } catch (error) {
      if (error !== cutShort) throw error;
      return { attributes, damaged: true };
    }
  }

  /** The members of the open list or section; reads past the character that closes it. @throws cutShort */
  list(closing: number, depth: number): ImapAttribute[] {
    const members: ImapAttribute[] = [];
    if (depth > wireLimits.depth) {
      this.#skip(closing);
      return members;
    }
    try {
      this.#read(members, closing, depth);
    } catch (error) {
      // Half an address or half a part is worse than none: only of a list of lists, the complete members are kept.
      const stays = depth <= 1 || Array.isArray(members[0]);
      if (error !== cutShort || !this.#incomplete || !stays) throw error;
      this.cut = true;
    }
    return members;
  }

  #read(members: ImapAttribute[], closing: number, depth: number): void {
    for (;;) {
      const code = this.next();
      if (code === closing) {
        this.at += 1;
        return;
      }
      if (Number.isNaN(code)) throw cutShort;
      if (members.length >= this.members || this.budget <= 0) {
        this.#skip(closing);
        return;
      }
      members.push(this.token(closing, depth));
    }
  }

  /** The next token or list. @throws cutShort at the end of the response */
  token(closing: number, depth: number): ImapAttribute {
    this.budget -= 1;
    const code = this.text.charCodeAt(this.at);
    if (Number.isNaN(code)) throw cutShort;
    if (code === QUOTE) return { type: 'STRING', value: this.#string() };
    if (code === OPEN) {
      this.at += 1;
      return this.list(CLOSE, depth + 1);
    }
    const brace = code === TILDE ? this.at + 1 : this.at;
    const octets = this.text.charCodeAt(brace) === BRACE ? this.#literalAt(brace) : undefined;
    if (octets) return { type: 'LITERAL', value: octets };
    const atom = this.#atom(closing, depth);
    // The rest of the atom may have been cut off.
    if (this.#incomplete && this.at >= this.text.length) throw cutShort;
    return atom;
  }

  /** Whether an error means that the response ends within a token or list. */
  static isCutShort(error: unknown): boolean {
    return error === cutShort;
  }

  #string(): string | Buffer {
    const { text } = this;
    const start = this.at + 1;
    let escaped = false;
    let at = start;
    for (let code = text.charCodeAt(at); code !== QUOTE; at += 1, code = text.charCodeAt(at)) {
      if (code === BACKSLASH) {
        escaped = true;
        at += 1;
      }
      if (at >= text.length) throw cutShort;
    }
    this.at = at + 1;
    const value = text.slice(start, at);
    return this.#recode(escaped ? unescaped(value) : value);
  }

  /** UTF-8 as text. Octets of another charset stay octets: the caller can guess the charset from the message. */
  #recode(value: string): string | Buffer {
    if (this.#plain || !eightBit.test(value)) return value;
    const octets = Buffer.from(value, 'latin1');
    return isUtf8(octets) ? octets.toString() : octets;
  }

  /** The octets of the literal whose `{` is at `brace`; undefined if that begins no literal. */
  #literalAt(brace: number): Buffer | undefined {
    const { text } = this;
    let at = brace + 1;
    while (isDigit(text.charCodeAt(at))) at += 1;
    if (at === brace + 1 || text.charCodeAt(at) !== BRACE_END) return undefined;
    at += 1;
    if (text.charCodeAt(at) === CR) at += 1;
    if (text.charCodeAt(at) !== LF) return undefined;
    const octets = this.#literals[this.#literal];
    if (!octets) throw cutShort;
    this.#literal += 1;
    this.at = at + 1;
    return octets;
  }

  #atom(closing: number, depth: number): ImapAttribute {
    const { text } = this;
    const start = this.at;
    // The first character always belongs to the atom, so that the reader makes progress.
    for (let at = start + 1; ; at += 1) {
      const code = text.charCodeAt(at);
      if (goesOn[code] === 1) continue;
      if (code === BRACKET) {
        // Checks the length first: an atom of brackets only would otherwise be copied at each bracket.
        if (at - start > LONGEST_SECTIONED || !sectioned.has(text.slice(start, at).toUpperCase())) continue;
        this.at = at + 1;
        return this.#sectioned(text.slice(start, at), depth);
      }
      if (code === BRACKET_END && closing !== BRACKET_END) continue;
      if (code === BRACE || (code < SPACE && code !== CR && code !== LF) || code === 0x7f) continue;
      this.at = at;
      const value = text.slice(start, at);
      if (value.length === 3 && value.toUpperCase() === 'NIL') return null;
      return { type: 'ATOM', value: this.#recode(value).toString() };
    }
  }

  #sectioned(name: string, depth: number): ImapToken {
    const token: ImapToken = { type: 'ATOM', value: name, section: this.list(BRACKET_END, depth + 1) };
    if (this.text.charCodeAt(this.at) === LESS) {
      const end = this.text.indexOf('>', this.at);
      if (end < 0 || end - this.at > 24) throw cutShort;
      token.partial = this.text
        .slice(this.at + 1, end)
        .split('.')
        .map(Number);
      this.at = end + 1;
    }
    return token;
  }

  /** Skips the rest of a list, nested lists included. */
  #skip(closing: number): void {
    this.cut = true;
    const { text } = this;
    for (let open = 1; ; ) {
      const code = text.charCodeAt(this.at);
      if (Number.isNaN(code)) throw cutShort;
      if (code === QUOTE) {
        this.#passString();
        continue;
      }
      if (code === BRACE && this.#literalAt(this.at)) continue;
      this.at += 1;
      if (code === OPEN) open += 1;
      else if (code === CLOSE && closing === CLOSE) open -= 1;
      else if (code === closing) open = 0;
      if (open === 0) return;
    }
  }

  #passString(): void {
    const { text } = this;
    let at = this.at + 1;
    for (let code = text.charCodeAt(at); code !== QUOTE; at += 1, code = text.charCodeAt(at)) {
      if (code === BACKSLASH) at += 1;
      if (at >= text.length) throw cutShort;
    }
    this.at = at + 1;
  }
}

/** A quoted string in latin1 without its backslashes, in one pass: a server may escape millions of characters. */
function unescaped(value: string): string {
  const octets = Buffer.from(value, 'latin1');
  let length = 0;
  for (let at = 0; at < octets.length; at += 1) {
    if (octets[at] === BACKSLASH) at += 1;
    octets[length] = octets[at] ?? 0;
    length += 1;
  }
  return octets.toString('latin1', 0, length);
}

/** Octets of a line before its CRLF or LF. */
function lengthWithoutEnd(line: Buffer): number {
  return Math.max(0, line.length - (line.at(-2) === CR ? 2 : 1));
}

function isDigit(code: number): boolean {
  return code >= ZERO && code <= NINE;
}

export const closes = { list: CLOSE, section: BRACKET_END };
