/** What text is printed to: a terminal, or something else, where lines have no bound and no colours. */
export interface Screen {
  /** How many letters a line has room for. */
  columns: number;
  colour: boolean;
}

/** A file or another program, which gets each value as a whole. */
export const unbounded: Screen = { columns: Number.POSITIVE_INFINITY, colour: false };

const CODES = { red: 31, green: 32, yellow: 33, bold: 1 } as const;
export type Colour = keyof typeof CODES;

/** Columns of a terminal that does not say how many it has. */
const USUAL_COLUMNS = 80;

/** The terminal of a process. Without colours where `NO_COLOR` says so (no-color.org) or the terminal has none. */
export function terminalScreen({ columns }: { columns: number }, env: Record<string, string | undefined>): Screen {
  return { columns: columns || USUAL_COLUMNS, colour: !env.NO_COLOR && env.TERM !== 'dumb' };
}

export function paint(text: string, colour: Colour | undefined, screen: Screen): string {
  return screen.colour && colour !== undefined ? `\x1b[${CODES[colour]}m${text}\x1b[0m` : text;
}

/** Letters that change how the letters beside them are shown, move the cursor, or are shown by some terminals alone. */
const UNSEEN = /[\p{Cc}\u00ad\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu;
/** Letters that take two columns of a terminal: those of East Asia and pictures. */
const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}\p{Emoji_Presentation}]/gu;
/** Letters that take no column: a terminal puts them onto the letter before. */
const NARROW = /[\p{M}\p{Cf}]/gu;
/** Has the letter before it shown as a picture, in two columns. */
const PICTURE = /\ufe0f/g;

/** A name as it may stand in a terminal. */
export function plain(text: string): string {
  return text.replace(UNSEEN, '?');
}

/** How many columns of a terminal a text takes, at most: of joined pictures terminals make one or several. */
export function widthOf(text: string): number {
  const letters = [...text.replace(NARROW, '')].length;
  return letters + (text.match(WIDE)?.length ?? 0) + (text.match(PICTURE)?.length ?? 0);
}

const segmenter = new Intl.Segmenter();

/** A text that takes so many columns at most: what is too much is left out in its middle. */
export function cutMiddle(text: string, columns: number): string {
  if (widthOf(text) <= columns) return text;
  const letters = Array.from(segmenter.segment(text), ({ segment }) => segment);
  let [head, tail] = ['', ''];
  let room = columns - 1;
  for (let atHead = true; ; atHead = !atHead) {
    const letter = (atHead ? letters.shift() : letters.pop()) ?? '';
    room -= widthOf(letter);
    if (room < 0) return `${head}…${tail}`;
    if (atHead) head += letter;
    else tail = letter + tail;
  }
}

/** A part of a line, with the colour that it has on a terminal. */
export type Part = string | { text: string; colour: Colour | undefined };

const INDENT = 13;

/** A label and what belongs to it, in as many lines as that takes; the lines behind the first are indented. */
export function fill(label: string, parts: readonly Part[], screen: Screen, indent = INDENT): string[] {
  const lines = [label.padEnd(indent)];
  let used = indent;
  for (const part of parts) {
    const { text, colour } = typeof part === 'string' ? { text: part, colour: undefined } : part;
    const shown = cutMiddle(plain(text), screen.columns - indent);
    const between = used > indent ? 2 : 0;
    if (between > 0 && used + between + widthOf(shown) > screen.columns) {
      lines.push(' '.repeat(indent));
      used = indent;
    }
    const gap = used > indent ? '  ' : '';
    lines.push(`${lines.pop()}${gap}${paint(shown, colour, screen)}`);
    used += gap.length + widthOf(shown);
  }
  return lines;
}

/** A text in lines of so many columns at most, divided between words as far as these fit. */
export function wrapped(text: string, columns: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && widthOf(`${line} ${word}`) <= columns) {
      line += ` ${word}`;
      continue;
    }
    if (line !== '') lines.push(line);
    line = '';
    for (const { segment } of segmenter.segment(word)) {
      if (widthOf(line + segment) > columns) {
        lines.push(line);
        line = '';
      }
      line += segment;
    }
  }
  return [...lines, line];
}
