import type { z } from 'zod';
import { nearestWord } from './nearest.js';
import { headerOf, nodeAt } from './plain-words.js';
import { lineOf, type Path } from './toml-lines.js';

/** One sentence for each thing that is wrong with a configuration, with its line where it is known. */
export function explainIssues(text: string, issues: readonly z.core.$ZodIssue[]): string[] {
  const ofWrongType = issues.filter(({ code }) => code === 'invalid_type');
  // Of a value of another type more is said, such as its length, which means nothing.
  const besides = (issue: z.core.$ZodIssue) =>
    ofWrongType.some((one) => one !== issue && String(one.path) === String(issue.path));
  const sentences = issues.flatMap((issue) => {
    if (besides(issue)) return [];
    const path = issue.path.filter((step) => typeof step !== 'symbol');
    if (issue.code !== 'unrecognized_keys') return [sentence(text, path, issue.message)];
    return issue.keys.map((key) => sentence(text, [...path, key], unknown(key, path)));
  });
  return sentences.sort((one, other) => lineIn(one) - lineIn(other));
}

/** The line that a sentence begins with; where it has none it belongs at the end. */
function lineIn(told: string): number {
  return Number(/^line (\d+): /.exec(told)?.[1] ?? Number.MAX_SAFE_INTEGER);
}

/** Modes in decimal that read as other permissions in octal than they are. */
export function decimalModes(text: string, given: unknown): string[] {
  const entries = given as Partial<Record<string, unknown>>;
  const listeners = Array.isArray(entries.listener)
    ? entries.listener.map((_, index): Path => ['listener', index])
    : [];
  const lines = text.split(/\r?\n/);
  return [...listeners, ['admin'], ['monitor']].flatMap((table) => {
    const path = [...table, 'mode'];
    const line = lines[(lineOf(text, path) ?? 0) - 1] ?? '';
    const [, decimal] = /^\s*["']?mode["']?\s*=\s*([1-7][0-7]+)\s*(?:#.*)?$/.exec(line) ?? [];
    if (decimal === undefined) return [];
    const octal = `0o${Number(decimal).toString(8)}`;
    return [sentence(text, path, `is decimal, and ${decimal} is ${octal}: write mode = 0o${decimal} or ${octal}`)];
  });
}

/** Puts the line in front of a problem that begins with a key, such as `server[0].ca_file: ` or `session: `. */
export function withLine(text: string, problem: string): string {
  const [, table, index, key] = /^(\w+)(?:\[(\d+)\])?(?:\.(\w+))?: /.exec(problem) ?? [];
  const path: Array<string | number | undefined> = [table, index === undefined ? undefined : Number(index), key];
  const line = lineOf(
    text,
    path.filter((step) => step !== undefined),
  );
  return line === undefined ? problem : `line ${line}: ${problem}`;
}

function sentence(text: string, path: Path, message: string): string {
  const line = lineOf(text, path);
  const name = path.reduce<string>((dotted, step) => {
    if (typeof step === 'number') return `${dotted}[${step}]`;
    return dotted === '' ? step : `${dotted}.${step}`;
  }, '');
  return `${line === undefined ? '' : `line ${line}: `}${name}: ${message}`;
}

/** Keys that there are on purpose not, by table, and why. */
const NOT_HERE: ReadonlyArray<readonly [table: string, key: RegExp, why: string]> = [
  [
    'server',
    /^(?:user(?:name)?|login|pass(?:word)?|auth|accessToken|access_token)$/,
    'users and passwords do not belong here: each session.open sends them',
  ],
  [
    'tenant',
    /^(?:token|tokens|secret|password|bearer)$/,
    'only the hash of a token belongs here, in token_hashes: `imap-broker token create` prints it',
  ],
];

function unknown(key: string, path: Path): string {
  const [, , why] = NOT_HERE.find(([table, keys]) => table === path[0] && keys.test(key)) ?? [];
  if (why !== undefined) return `unknown key; ${why}`;
  const near = nearestWord(key, Object.keys(nodeAt(path)?.properties ?? {}));
  if (near !== undefined) return `unknown key; did you mean ${near}?`;
  const elsewhere = tablesWith(key).filter((header) => path.length === 0 || header !== headerOf(String(path[0])));
  return elsewhere.length === 0 ? 'unknown key' : `unknown key here; it belongs ${elsewhere.join(' or ')}`;
}

/** Where a key belongs. */
function tablesWith(key: string): string[] {
  const sections = Object.keys(nodeAt([])?.properties ?? {});
  const tables = sections.filter((section) => {
    const { items, properties } = nodeAt([section]) ?? {};
    return key in ((items as { properties?: object } | undefined)?.properties ?? properties ?? {});
  });
  const top = sections.includes(key) && headerOf(key) === undefined;
  return [
    ...(top ? ['at the top of the file, above all tables'] : []),
    ...tables.map((table) => `under ${headerOf(table)}`),
  ];
}
