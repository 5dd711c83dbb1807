/** One column: its heading, and whether it holds numbers, which stand at the right. */
export interface Column {
  title: string;
  number?: boolean;
}

/** Letters that change how the letters beside them are shown, or move the cursor. */
const UNSEEN = /[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu;
/** Letters that take two columns of a terminal: those of East Asia and pictures. */
const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]/gu;
/** Letters that take no column: a terminal puts them onto the letter before. */
const NARROW = /[\p{M}\p{Cf}]/gu;

/** A name as it may stand in a terminal. */
export function plain(text: string): string {
  return text.replace(UNSEEN, '?');
}

/** How many columns of a terminal a text takes. */
export function widthOf(text: string): number {
  const letters = [...text.replace(NARROW, '')].length;
  return letters + (text.match(WIDE)?.length ?? 0);
}

/** A table for people: columns as wide as their widest cell, without lines, ending with a line feed. */
export function table(columns: readonly Column[], rows: ReadonlyArray<readonly (string | number)[]>): string {
  const texts = rows.map((row) => row.map((cell) => plain(String(cell))));
  const widths = columns.map(({ title }, at) => Math.max(title.length, ...texts.map((row) => widthOf(row[at] ?? ''))));
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, at) => {
        const rest = ' '.repeat((widths[at] ?? 0) - widthOf(cell));
        return columns[at]?.number ? rest + cell : cell + rest;
      })
      .join('  ')
      .trimEnd();
  return `${[columns.map(({ title }) => title), ...texts].map(line).join('\n')}\n`;
}
