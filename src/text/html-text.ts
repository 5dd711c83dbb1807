import { Tokenizer, type TokenizerCallbacks } from 'htmlparser2';

/** Elements whose text is not for readers. */
const unread = new Set(['script', 'style', 'title', 'noframes', 'noembed']);
/** Elements that stand on lines of their own, and those with an empty line around them too. */
const ownLine =
  'address article aside dd div dl dt figcaption footer form header hr legend li main nav option section tbody tr';
const ownParagraph = 'blockquote fieldset figure h1 h2 h3 h4 h5 h6 ol p pre table ul';
/** Line ends around an element. */
const lineBreaks = new Map<string, number>();
for (const name of ownLine.split(' ')) lineBreaks.set(name, 1);
for (const name of ownParagraph.split(' ')) lineBreaks.set(name, 2);

/** What of the text is wanted; default: all of it. */
export interface HtmlTextOptions {
  /** Whether the text of `blockquote` elements, in which replies quote, is left out. */
  withoutQuotes?: boolean;
  /** Pieces of text, such as words, after which the rest is not read. */
  pieces?: number;
}

/**
 * The text of html: its paragraphs, lines, list items and table cells, without links and pictures. Takes time and memory
 * in proportion to the html, however it is nested or broken: elements are looked at one by one, no tree is made.
 */
export function htmlToText(html: string, options: HtmlTextOptions = {}): string {
  const reader = new Reader(html, options);
  const tokenizer = new Tokenizer({ xmlMode: false, decodeEntities: true }, reader);
  reader.onFull = () => tokenizer.pause();
  tokenizer.write(html);
  tokenizer.end();
  return reader.text;
}

class Reader implements TokenizerCallbacks {
  readonly #html: string;
  #pieces: string[] = [];
  /** Line ends, and whether a blank, that are due before the next text. */
  #lines = 0;
  #blank = false;
  /** The element whose text is passed over. */
  #unread: string | undefined;
  #pre = 0;
  readonly #withoutQuotes: boolean;
  readonly #most: number;
  /** Called when the wanted text is there. */
  onFull: () => void = () => {};
  /** Open quotes whose text is passed over. */
  #quoted = 0;

  constructor(html: string, { withoutQuotes = false, pieces = Number.POSITIVE_INFINITY }: HtmlTextOptions) {
    this.#html = html;
    this.#withoutQuotes = withoutQuotes;
    this.#most = pieces;
  }

  get text(): string {
    return this.#pieces.join('');
  }

  ontext(start: number, end: number): void {
    this.#write(this.#html.slice(start, end));
  }

  ontextentity(codepoint: number): void {
    this.#write(String.fromCodePoint(codepoint));
  }

  oncdata(): void {}

  onopentagname(start: number, end: number): void {
    const name = this.#html.slice(start, end).toLowerCase();
    if (this.#unread === undefined && unread.has(name)) this.#unread = name;
    if (name === 'pre') this.#pre += 1;
    if (name === 'blockquote' && this.#withoutQuotes) this.#quoted += 1;
    if (name === 'br') this.#break(this.#lines + 1);
    else this.#around(name);
    if (name === 'li') this.#write('- ');
  }

  onclosetag(start: number, end: number): void {
    const name = this.#html.slice(start, end).toLowerCase();
    if (this.#unread === name) this.#unread = undefined;
    if (name === 'pre' && this.#pre > 0) this.#pre -= 1;
    if (name === 'blockquote' && this.#quoted > 0) this.#quoted -= 1;
    this.#around(name);
  }

  #around(name: string): void {
    const lines = lineBreaks.get(name);
    if (lines !== undefined) this.#break(Math.max(this.#lines, lines));
    else if (name === 'td' || name === 'th') this.#blank = true;
  }

  #break(lines: number): void {
    // Further empty lines add nothing.
    this.#lines = Math.min(lines, 3);
    this.#blank = false;
  }

  #write(text: string): void {
    if (this.#pieces.length > this.#most) this.onFull();
    if (this.#unread !== undefined || this.#quoted > 0 || text === '') return;
    if (this.#pre > 0) {
      this.#flush();
      this.#pieces.push(text);
      return;
    }
    const words = text.split(/[ \t\r\n\f]+/);
    for (const [index, word] of words.entries()) {
      if (index > 0) this.#blank = true;
      if (word === '') continue;
      this.#flush();
      this.#pieces.push(word);
    }
  }

  /** Writes the white space that is due; none at the beginning. */
  #flush(): void {
    if (this.#pieces.length > 0) this.#pieces.push(this.#lines > 0 ? '\n'.repeat(this.#lines) : this.#blank ? ' ' : '');
    this.#lines = 0;
    this.#blank = false;
  }

  onattribdata(): void {}
  onattribentity(): void {}
  onattribend(): void {}
  onattribname(): void {}
  oncomment(): void {}
  ondeclaration(): void {}
  onend(): void {}
  onopentagend(): void {}
  onprocessinginstruction(): void {}
  onselfclosingtag(): void {}
}
