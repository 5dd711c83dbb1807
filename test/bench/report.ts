import type { Row } from './measure.js';

/** What a scenario has found out. */
export interface Section {
  title: string;
  /** What it is and how to read it. */
  text: string;
  /** The first line is the head. */
  table: string[][];
  /** The numbers behind the table, for JSON. */
  data: unknown;
  targets: Target[];
}

/** Something that is wanted of the broker. */
export interface Target {
  what: string;
  wanted: string;
  measured: string;
  met: boolean;
}

const NOTHING = '-';
/** Named in all tables that compare with it. */
export const WARM = 'warm imapflow';

/** `value` may be missing, when what it is made of was not measured. */
export function atMost(what: string, value: number | undefined, bound: number, unit = ''): Target {
  return target(what, 'at most', value, bound, unit, (found) => found <= bound);
}

export function atLeast(what: string, value: number | undefined, bound: number, unit = ''): Target {
  return target(what, 'at least', value, bound, unit, (found) => found >= bound);
}

function target(
  what: string,
  word: string,
  value: number | undefined,
  bound: number,
  unit: string,
  holds: (value: number) => boolean,
): Target {
  const measured = value === undefined ? 'not offered by this build' : `${short(value)}${unit}`;
  return { what, wanted: `${word} ${bound}${unit}`, measured, met: value !== undefined && holds(value) };
}

/** A number with three digits that count, or as a whole one. */
export function short(value: number): string {
  if (value >= 100 || Number.isInteger(value)) return value.toFixed(0);
  return value >= 10 ? value.toFixed(1) : value.toFixed(2);
}

export function milliseconds(value: number): string {
  return `${short(value)} ms`;
}

/** The table of a scenario whose ways are compared with one of them. */
export function comparison(rows: readonly Row[], base = WARM): string[][] {
  const head = ['way', 'callers', 'median', '95 %', 'calls a second', `time : ${base}`, `calls : ${base}`, 'failed'];
  const lines = rows.map(({ way, callers, medianMs, p95Ms, perSecond, failed }) => {
    const other = rows.find((one) => one.way === base && one.callers === callers);
    const calls = other?.perSecond && perSecond ? short(perSecond / other.perSecond) : NOTHING;
    return [
      way,
      `${callers}`,
      milliseconds(medianMs),
      milliseconds(p95Ms),
      perSecond === null ? NOTHING : short(perSecond),
      other ? short(medianMs / other.medianMs) : NOTHING,
      calls,
      `${failed}`,
    ];
  });
  return [head, ...lines];
}

export function targetTable(sections: readonly Section[]): string[][] {
  const lines = sections.flatMap(({ targets }) =>
    targets.map(({ what, wanted, measured, met }) => [what, wanted, measured, met ? 'yes' : 'no']),
  );
  return [['what', 'wanted', 'measured', 'met'], ...lines];
}

/** A table in Markdown that can be read as it is, too: the first column to the left, the others to the right. */
export function markdownTable(table: readonly string[][]): string {
  const widths = (table[0] ?? []).map((_, column) => Math.max(...table.map((line) => line[column]?.length ?? 0)));
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, at) => (at === 0 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0))).join(' | ')} |`;
  const rule = `|${widths.map((width, at) => (at === 0 ? `:${'-'.repeat(width + 1)}` : `${'-'.repeat(width + 1)}:`)).join('|')}|`;
  const [head = [], ...body] = table;
  return [line(head), rule, ...body.map(line)].join('\n');
}
