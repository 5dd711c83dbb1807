import { z } from 'zod';
import { nearestWord } from './nearest.js';
import { numberMeant, numberWanted, quantityOf } from './quantities.js';
import { configSchema } from './schema.js';
import type { Path } from './toml-lines.js';

type Node = z.core.JSONSchema.JSONSchema;

const MIB = 1024 * 1024;
/** Keys whose values are not repeated in a message: by mistake there may be a secret. */
const SECRET = /token|secret|password|url$/;
/** What people write for a choice that has another name here. */
const SYNONYMS: Readonly<Record<string, string>> = {
  ssl: 'implicit',
  tls: 'implicit',
  imaps: 'implicit',
  true: 'implicit',
  yes: 'implicit',
  plain: 'none',
  false: 'none',
  no: 'none',
  off: 'silent',
  verbose: 'debug',
  critical: 'fatal',
};

/** A message for an operator, in words that follow the name of the key; `undefined` leaves it to zod. */
export function plainly(issue: z.core.$ZodRawIssue): string | undefined {
  const path = (issue.path ?? []).filter((step) => typeof step !== 'symbol');
  const { code, input } = issue;
  if (code === 'invalid_type') return wrongType(String(issue.expected), input, path);
  if (code === 'too_small' || code === 'too_big') return outOfBounds(issue, path);
  if (code === 'invalid_value') return noChoice(issue.values as unknown[], input, path);
  return undefined;
}

/** Whether a value of a key may be repeated in a message. */
export function maySay(key: string): boolean {
  return !SECRET.test(key);
}

let schema: Node | undefined;

/** What the schema says of a key or table. */
export function nodeAt(path: Path): Node | undefined {
  // Made for the first message alone: mostly there is none.
  schema ??= z.toJSONSchema(configSchema, { io: 'input' });
  let node: Node | undefined = schema;
  for (const step of path) {
    const next: unknown = typeof step === 'number' ? node?.items : node?.properties?.[step];
    node = typeof next === 'object' && next !== null ? (next as Node) : undefined;
  }
  return node;
}

/** How a table of the schema is written: `[pool]` or `[[server]]`; `undefined` for what is no table. */
export function headerOf(section: string): string | undefined {
  const { items, properties } = nodeAt([section]) ?? {};
  if (properties) return `[${section}]`;
  return (items as Node | undefined)?.properties ? `[[${section}]]` : undefined;
}

function wrongType(expected: string, input: unknown, path: Path): string {
  const [section = ''] = path.map(String);
  const header = headerOf(section);
  if (input === undefined) {
    return path.length === 1 && header !== undefined ? `is missing: at least one ${header} is needed` : 'is missing';
  }
  if (header !== undefined && path.length === 1) {
    if (expected === 'array' && isTable(input))
      return `can be given several times, so it needs double brackets: ${header}`;
    if (expected === 'object' && Array.isArray(input))
      return `can be given only once, so it needs single brackets: ${header}`;
  }
  if (expected === 'object') return `is a table: write ${header ?? section}, and its keys on the lines below`;
  const key = keyOf(path);
  const value = maySay(key) && isPlain(input) ? JSON.stringify(String(input)) : '"..."';
  switch (expected) {
    case 'number':
    case 'int':
      return noNumber(key, input, path);
    case 'boolean':
      return 'must be true or false, without quotes';
    case 'array':
      return `is a list: write ${key} = [${value}]`;
    default:
      return isPlain(input) ? `needs quotes: write ${value}` : 'must be a string in quotes';
  }
}

function noNumber(key: string, input: unknown, path: Path): string {
  const { type, minimum, maximum } = nodeAt(path) ?? {};
  const wanted = numberWanted(key, type === 'integer' ? 'whole number' : 'number');
  const meant = typeof input === 'string' ? numberMeant(key, input) : undefined;
  if (meant !== undefined) return `${wanted}: write ${key} = ${meant}, without quotes`;
  return quantityOf(key) === 'mode' ? `${wanted}, such as 0o660` : `${wanted}, from ${minimum} to ${maximum}`;
}

function outOfBounds({ code, origin, input, minimum, maximum }: z.core.$ZodRawIssue, path: Path): string | undefined {
  const key = keyOf(path);
  if (origin === 'string') return code === 'too_small' ? 'is empty' : `is longer than ${maximum} characters`;
  if (origin === 'array') return code === 'too_small' ? `has fewer than ${minimum}` : `has more than ${maximum}`;
  if (typeof input !== 'number') return undefined;
  const { minimum: least = 0, maximum: most = 0 } = nodeAt(path) ?? {};
  const within = (number: number) => number >= least && number <= most;
  const quantity = quantityOf(key);
  if (quantity === 'mode') {
    const meant = numberMeant(key, String(input));
    return meant === undefined
      ? 'must be an octal number, such as 0o660'
      : `must be an octal number: write mode = ${meant}`;
  }
  const bounds = `must be from ${least} to ${most}, but is ${input}`;
  if (quantity === 'seconds' && input > most && within(input / 1000)) {
    return `${bounds}; ${input} milliseconds are ${input / 1000} seconds`;
  }
  if (quantity === 'bytes' && input > 0 && input < least && within(input * MIB)) {
    return `${bounds}; ${input} MiB are ${input * MIB} bytes`;
  }
  return bounds;
}

function noChoice(values: readonly unknown[], input: unknown, path: Path): string {
  const choices = values.map(String);
  const said = String(input).toLowerCase();
  const known = SYNONYMS[said];
  const near = known !== undefined && choices.includes(known) ? known : nearestWord(said, choices);
  const hint = near === undefined || !maySay(keyOf(path)) ? '' : `; did you mean "${near}"?`;
  return `must be one of ${choices.map((choice) => `"${choice}"`).join(', ')}${hint}`;
}

/** The name of a key, also where the path leads to a member of its list. */
function keyOf(path: Path): string {
  return String(path.findLast((step) => typeof step === 'string') ?? '');
}

function isTable(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isPlain(value: unknown): boolean {
  return ['string', 'number', 'boolean'].includes(typeof value);
}
