export type Path = ReadonlyArray<string | number>;

const HEADER = /^\s*(\[\[?)\s*["']?([\w.-]+)["']?\s*\]/;
const KEY = /^\s*["']?([\w-]+)["']?\s*=/;

/**
 * The line (from 1) of a TOML text on which a key stands, or its table if the key is not there; `undefined` if neither is.
 * Knows tables, arrays of tables and plain keys: what the configuration consists of.
 */
export function lineOf(text: string, path: Path): number | undefined {
  const [table, index, key] = split(path);
  let current: string | undefined;
  let seen = -1;
  let tableLine: number | undefined;
  for (const [at, line] of text.split('\n').entries()) {
    const [, bracket, name] = HEADER.exec(line) ?? [];
    if (name !== undefined) {
      current = name;
      if (name === table && (bracket === '[' || ++seen === index)) tableLine = at + 1;
      if (path.length === 1 && name === key) return at + 1;
    }
    const inTable = current === table && (index === undefined || seen === index);
    if (key !== undefined && name === undefined && inTable && KEY.exec(line)?.[1] === key) return at + 1;
    // A member of a list at the top of the file.
    if (key === undefined && current === undefined && KEY.exec(line)?.[1] === table) return at + 1;
  }
  return tableLine;
}

function split([first, second, third]: Path): [
  table: string | undefined,
  index: number | undefined,
  key: string | undefined,
] {
  if (typeof second === 'number') return [String(first), second, third === undefined ? undefined : String(third)];
  if (second === undefined) return [undefined, undefined, first === undefined ? undefined : String(first)];
  return [String(first), undefined, String(second)];
}
