import type { MessageSummary } from '../protocol/rows.js';

type Headers = NonNullable<MessageSummary['headers']>;

/** Stands before the values of a name whose lines were cut. */
const CUT = '!';

/**
 * Header lines of one message in a single string, which takes less memory than objects: for each name that was asked for
 * a line `name:["value",…]`, the name in lower case. JSON has no line ends and names have no colon, so a line is found
 * by its beginning.
 */
export const HeaderTexts = {
  /** Whether the lines of a name are known, also that there are none. */
  has(kept: string | undefined, name: string): boolean {
    return kept?.includes(`\n${name.toLowerCase()}:`) ?? false;
  },

  /** @param cut whether lines may be missing */
  add(kept: string | undefined, names: readonly string[], headers: Headers, cut: boolean): string {
    let added = '';
    for (const name of names) {
      const lower = name.toLowerCase();
      const values = headers.filter((header) => header.name.toLowerCase() === lower).map(({ value }) => value);
      added += `\n${lower}:${cut ? CUT : ''}${JSON.stringify(values)}`;
    }
    const asked = new Set(names.map((name) => name.toLowerCase()));
    const lines = (kept ?? '')
      .split('\n')
      .filter((line) => line !== '' && !asked.has(line.slice(0, line.indexOf(':'))));
    return lines.map((line) => `\n${line}`).join('') + added;
  },

  /** The lines of these names as JSON, in their order, with the names as they are spelled here. */
  json(kept: string | undefined, names: readonly string[]): string {
    const lines = names.flatMap((name) => valuesOf(kept, name).map((value) => ({ name, value })));
    return JSON.stringify(lines);
  },

  /** Whether lines of any of the names were cut. */
  areCut(kept: string | undefined, names: readonly string[]): boolean {
    return names.some((name) => textOf(kept, name).startsWith(CUT));
  },
};

/** What is kept of a name; empty where it is not known. */
function textOf(kept: string | undefined, name: string): string {
  const begin = `\n${name.toLowerCase()}:`;
  const at = kept?.indexOf(begin) ?? -1;
  if (kept === undefined || at < 0) return '';
  const from = at + begin.length;
  const end = kept.indexOf('\n', from);
  return kept.slice(from, end < 0 ? undefined : end);
}

function valuesOf(kept: string | undefined, name: string): string[] {
  const text = textOf(kept, name);
  return text === '' ? [] : (JSON.parse(text.startsWith(CUT) ? text.slice(1) : text) as string[]);
}
