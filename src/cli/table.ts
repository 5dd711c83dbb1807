/** One column: its heading, and whether it holds numbers, which stand at the right. */
export interface Column {
  title: string;
  number?: boolean;
}

/** A table for people: columns as wide as their widest cell, without lines, ending with a line feed. */
export function table(columns: readonly Column[], rows: ReadonlyArray<readonly (string | number)[]>): string {
  const texts = rows.map((row) => row.map(String));
  const widths = columns.map(({ title }, at) => Math.max(title.length, ...texts.map((row) => row[at]?.length ?? 0)));
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, at) => (columns[at]?.number ? cell.padStart(widths[at] ?? 0) : cell.padEnd(widths[at] ?? 0)))
      .join('  ')
      .trimEnd();
  return `${[columns.map(({ title }) => title), ...texts].map(line).join('\n')}\n`;
}
