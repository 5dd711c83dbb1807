import { type Colour, cutMiddle, paint, plain, type Screen, unbounded, widthOf, wrapped } from './screen.js';

export interface Column {
  title: string;
  /** Whether it holds numbers, which stand at the right and are never cut. */
  number?: boolean;
  /** Whether its texts are never cut: ids that other commands take. */
  whole?: boolean;
  /** To so many columns of the terminal its texts are cut before columns of numbers are left out. Default: 10. */
  least?: number;
  /** Whether its texts go on in further lines. For the last column. */
  wraps?: boolean;
  /** The colour of a text on a terminal. */
  colour?: (text: string) => Colour | undefined;
}

export type Row = readonly (string | number)[];

/** Columns of the terminal between two columns of a table. */
const GAP = 2;
/** How far texts are cut before columns of numbers at the right are left out, and when there are none left. */
const LEAST = 10;
const AT_LEAST = 4;

/**
 * A table for people: columns as wide as their widest cell, without lines, ending with a line feed. On a terminal its
 * lines fit: long texts are cut in their middle, and columns of numbers at the right are left out.
 */
export function table(columns: readonly Column[], rows: readonly Row[], screen: Screen = unbounded): string {
  const { lines, missing } = fitted(columns, rows, screen);
  const titles = missing.map(({ title }) => title).join(', ');
  const note = missing.length === 0 ? [] : wrapped(`No room for ${titles}; --json has all.`, screen.columns);
  return `${[...lines, ...note].join('\n')}\n`;
}

/** The lines of a table, and the columns for which there was no room. */
export function fitted(
  columns: readonly Column[],
  rows: readonly Row[],
  screen: Screen,
): { lines: string[]; missing: readonly Column[] } {
  const texts = rows.map((row) => row.map((cell) => plain(String(cell))));
  const widths = columns.map(({ title }, at) => Math.max(title.length, ...texts.map((row) => widthOf(row[at] ?? ''))));
  let count = columns.length;
  const isLeftOut = () => columns[count - 1]?.number && leastTotal(columns, widths.slice(0, count)) > screen.columns;
  while (isLeftOut()) count -= 1;
  const shown = columns.slice(0, count);
  const fit = fitWidths(shown, widths.slice(0, count), screen.columns);
  const heading = line(
    shown,
    shown.map(({ title }) => title),
    fit,
  );
  const body = texts.flatMap((row) => rowLines(shown, row, fit, screen));
  return { lines: [paint(heading, 'bold', screen), ...body], missing: columns.slice(count) };
}

/** What columns take at least, with their texts cut. */
function leastTotal(columns: readonly Column[], widths: readonly number[]): number {
  const least = widths.map((width, at) =>
    mayBeCut(columns[at]) ? Math.min(width, columns[at]?.least ?? LEAST) : width,
  );
  return total(least);
}

function total(widths: readonly number[]): number {
  return widths.reduce((all, width) => all + width, GAP * (widths.length - 1));
}

function mayBeCut(column: Column | undefined): boolean {
  return !column?.number && !column?.whole;
}

/** The widths of columns in a terminal: the widest texts are cut first. */
function fitWidths(columns: readonly Column[], widths: readonly number[], most: number): number[] {
  const fit = widths.map((width) => Math.min(width, most));
  for (let excess = total(fit) - most; excess > 0; excess -= 1) {
    const cut = columns.map((column, at) => (mayBeCut(column) ? (fit[at] ?? 0) : 0));
    const widest = Math.max(...cut);
    if (widest <= AT_LEAST) break;
    fit[cut.indexOf(widest)] = widest - 1;
  }
  return fit;
}

/** The lines of a row: one, but where its last cell goes on. */
function rowLines(
  columns: readonly Column[],
  row: readonly string[],
  widths: readonly number[],
  screen: Screen,
): string[] {
  const last = columns.length - 1;
  const width = widths[last] ?? 0;
  const cells = columns.map((_, at) => row[at] ?? '');
  const [begin = '', ...rest] = columns[last]?.wraps ? wrapped(cells[last] ?? '', width) : [cells[last] ?? ''];
  const indent = ' '.repeat(total(widths.slice(0, last)) + (last > 0 ? GAP : 0));
  return [line(columns, [...cells.slice(0, last), begin], widths, screen), ...rest.map((text) => indent + text)];
}

function line(
  columns: readonly Column[],
  cells: readonly string[],
  widths: readonly number[],
  screen = unbounded,
): string {
  const padded = columns.map(({ number, colour }, at) => {
    const width = widths[at] ?? 0;
    const text = number ? (cells[at] ?? '') : cutMiddle(cells[at] ?? '', width);
    const rest = ' '.repeat(Math.max(0, width - widthOf(text)));
    const painted = paint(text, colour?.(cells[at] ?? ''), screen);
    if (number) return rest + painted;
    return at === columns.length - 1 ? painted : painted + rest;
  });
  return padded.join(' '.repeat(GAP)).trimEnd();
}
