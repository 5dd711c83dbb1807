import { z } from 'zod';
import { nearestWord } from './nearest.js';
import { configSchema } from './schema.js';
import { lineOf, type Path } from './toml-lines.js';

/** One sentence for each thing that is wrong with a configuration, with its line where it is known. */
export function explainIssues(text: string, issues: readonly z.core.$ZodIssue[]): string[] {
  return issues.flatMap((issue) => {
    const path = issue.path.filter((step) => typeof step !== 'symbol');
    if (issue.code !== 'unrecognized_keys') return [sentence(text, path, issue.message)];
    return issue.keys.map((key) => sentence(text, [...path, key], unknown(key, path)));
  });
}

/** A plainer message than that of zod for a key that is missing. */
export function plainly(issue: z.core.$ZodRawIssue): string | undefined {
  if (issue.code === 'invalid_type' && issue.input === undefined) return 'is missing';
  return undefined;
}

function unknown(key: string, path: Path): string {
  const near = nearestWord(key, knownKeys(path));
  return `unknown key${near === undefined ? '' : `; did you mean ${near}?`}`;
}

function sentence(text: string, path: Path, message: string): string {
  const line = lineOf(text, path);
  const name = path.reduce<string>((dotted, step) => {
    if (typeof step === 'number') return `${dotted}[${step}]`;
    return dotted === '' ? step : `${dotted}.${step}`;
  }, '');
  return `${line === undefined ? '' : `line ${line}: `}${name}: ${message}`;
}

/** Puts the line in front of a problem that begins with the key of an entry, such as `server[0].ca_file: `. */
export function withLine(text: string, problem: string): string {
  const [, table, index, key] = /^(\w+)\[(\d+)\]\.(\w+): /.exec(problem) ?? [];
  const line = table && key ? lineOf(text, [table, Number(index), key]) : undefined;
  return line === undefined ? problem : `line ${line}: ${problem}`;
}

type Node = z.core.JSONSchema.JSONSchema;

function knownKeys(path: Path): string[] {
  let node: Node | undefined = z.toJSONSchema(configSchema, { io: 'input' });
  for (const step of path) {
    const next: unknown = typeof step === 'number' ? node?.items : node?.properties?.[step];
    node = typeof next === 'object' && next !== null ? (next as Node) : undefined;
  }
  return Object.keys(node?.properties ?? {});
}
