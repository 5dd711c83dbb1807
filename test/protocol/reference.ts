import { z } from 'zod';
import { contract, type MethodName } from '../../src/protocol/contract.js';
import type { MethodDefinition } from '../../src/protocol/define.js';
import { errorTable } from '../../src/protocol/errors.js';
import { notifications } from '../../src/protocol/events.js';
import { examples } from '../../src/protocol/examples/examples.js';
import { closeCodes, protocolLimits } from '../../src/protocol/limits.js';
import { explanation, meta } from '../../src/protocol/models.js';
import { errorsOf } from '../../src/protocol/openrpc.js';

interface Schema {
  type?: string | string[];
  description?: string;
  default?: unknown;
  const?: unknown;
  enum?: unknown[];
  anyOf?: Schema[];
  oneOf?: Schema[];
  allOf?: Schema[];
  items?: Schema;
  properties?: Record<string, Schema>;
  additionalProperties?: Schema | boolean;
  required?: string[];
  $ref?: string;
  definitions?: Record<string, Schema>;
  format?: string;
  pattern?: string;
  minLength?: number;
  maxLength?: number;
  minimum?: number;
  maximum?: number;
  minItems?: number;
  maxItems?: number;
}

const reserved = new Set(['session', 'timeoutMs', 'slot', 'explain', 'maxAgeMs', 'ifState']);
/** Members of many results that are described once. */
const common = {
  meta: { schema: meta, about: 'Where an answer comes from.' },
  explain: {
    schema: explanation,
    about:
      'What happened to a request, in milliseconds. Where the answer is coalesced, all but `totalMs` and `queueMs` is of the request that was shared.',
  },
};
/** zod writes these where no limit was stated; they say nothing to a reader. */
const noLimit = new Set([Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER, 4_294_967_295]);

/** The part of docs/protocol.md that follows from the contract. */
export function renderReference(): string {
  return [
    '## Methods',
    '',
    ...Object.values(contract).flatMap(renderMethod),
    '## Types',
    '',
    'Types that contain themselves.',
    '',
    ...Array.from(namedTypes(), ([name, schema]) => [
      `### ${name}`,
      '',
      ...(schema.description ? [schema.description, ''] : []),
      ...renderMembers(schema, name),
    ]).flat(),
    '## Members of many results',
    '',
    ...Object.entries(common).flatMap(([name, { schema, about }]) => [
      `### ${name}`,
      '',
      about,
      '',
      ...renderMembers(schemaOf(schema, 'output'), name),
    ]),
    '## Notifications',
    '',
    ...Object.entries(notifications).flatMap(([name, { from, summary, params }]) => [
      `### ${name}`,
      '',
      `${sender(from)} ${summary}`,
      '',
      ...renderMembers(schemaOf(params), 'params'),
    ]),
    '## Errors',
    '',
    table(
      ['code', 'kind', 'meaning', 'retry'],
      Object.entries(errorTable).map(([kind, { code, meaning, retry }]) => [
        String(code),
        `\`${kind}\``,
        meaning,
        retry,
      ]),
    ),
    '',
    '## Close codes',
    '',
    table(
      ['code', 'meaning'],
      Object.values(closeCodes).map(({ code, meaning }) => [String(code), meaning]),
    ),
    '',
    '## Limits of the protocol',
    '',
    table(
      ['limit', 'value'],
      Object.entries(protocolLimits).map(([name, value]) => [name, value.toLocaleString('en')]),
    ),
    '',
  ].join('\n');
}

function sender(from: string): string {
  return from === 'both' ? 'Sent by either side.' : `Sent by the ${from}.`;
}

function renderMethod(definition: MethodDefinition): string[] {
  const { name, summary, access, scope, effect, params, result } = definition;
  const errors = errorsOf(definition).map((kind) => `\`${kind}\``);
  return [
    `### ${name}`,
    '',
    summary,
    '',
    `Needs ${access === 'session' ? 'a session' : scope === 'admin' ? 'the scope `admin`' : 'no session'}; ${effects[effect]}.`,
    '',
    ...renderMembers(schemaOf(params), 'params', reserved),
    ...renderMembers(schemaOf(result, 'output'), 'result'),
    ...renderExample(definition),
    `Errors: ${errors.join(', ')}.`,
    '',
  ];
}

/** The recursive types of all methods, by name. */
function namedTypes(): Map<string, Schema> {
  const types = new Map<string, Schema>();
  for (const { params, result } of Object.values(contract) as MethodDefinition[]) {
    for (const schema of [schemaOf(params), schemaOf(result, 'output')]) {
      for (const [name, type] of Object.entries(schema.definitions ?? {})) types.set(name, type);
    }
  }
  return new Map([...types].sort(([a], [b]) => (a < b ? -1 : 1)));
}

function renderExample({ name }: MethodDefinition): string[] {
  const { params, result } = examples[name as MethodName];
  return ['```json', inLines(params), inLines(result), '```', ''];
}

/** Most characters of a line of an example. */
const WIDE = 120;

/** JSON with as much in a line as fits. */
function inLines(value: unknown, indent = '', taken = 0): string {
  const short = oneLine(value);
  if (indent.length + taken + short.length <= WIDE || typeof value !== 'object' || value === null) return short;
  const deeper = `${indent}  `;
  const [open, close] = Array.isArray(value) ? '[]' : '{}';
  const members = Array.isArray(value)
    ? value.map((member) => deeper + inLines(member, deeper))
    : Object.entries(value).map(([key, member]) => {
        const label = `${JSON.stringify(key)}: `;
        return deeper + label + inLines(member, deeper, label.length);
      });
  return `${open}\n${members.join(',\n')}\n${indent}${close}`;
}

function oneLine(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(oneLine).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const members = Object.entries(value).map(([key, member]) => `${JSON.stringify(key)}: ${oneLine(member)}`);
  return members.length === 0 ? '{}' : `{ ${members.join(', ')} }`;
}

const effects = {
  read: 'reads, so the broker repeats it once when a connection is lost',
  write: 'writes, so it is never repeated',
  local: 'asks no IMAP server',
};

function schemaOf(schema: z.ZodType, io: 'input' | 'output' = 'input'): Schema {
  return z.toJSONSchema(schema, { io, target: 'draft-07' }) as Schema;
}

function renderMembers(schema: Schema, title: string, hidden: ReadonlySet<string> = new Set()): string[] {
  // Each alternative has members of its own, and one that names it.
  const [whole] = schema.anyOf ?? [];
  if (whole)
    return [
      ...renderMembers(whole, title, hidden),
      'With `ifState`, where nothing has changed: `{unchanged: true, state, meta}`.',
      '',
    ];
  if (schema.oneOf) return schema.oneOf.flatMap((one) => renderMembers(one, title, hidden));
  const rows = memberRows(schema, '').filter(([name = '']) => !hidden.has(name.replaceAll('`', '')));
  if (rows.length === 0) return [];
  return [table([title, 'type', 'meaning'], rows), ''];
}

/** One row a member, members of members behind a dot. */
function memberRows(schema: Schema, prefix: string): string[][] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, member]) => {
    const path = `${prefix}${name}`;
    const optional = !schema.required?.includes(name) && member.default === undefined;
    if (prefix === '' && name in common)
      return [[`\`${path}\``, `[${name}](#${name})${optional ? ', optional' : ''}`, '']];
    const inner = innerOf(member);
    return [
      [`\`${path}\``, typeOf(member) + (optional ? ', optional' : ''), meaningOf(member)],
      ...(inner ? memberRows(inner.schema, `${path}${inner.suffix}.`) : []),
    ];
  });
}

function innerOf(schema: Schema): { schema: Schema; suffix: string } | undefined {
  if (schema.properties) return { schema, suffix: '' };
  if (schema.items) {
    const inner = innerOf(schema.items);
    return inner && { schema: inner.schema, suffix: `[]${inner.suffix}` };
  }
  const objects = (schema.anyOf ?? []).filter(({ type }) => type !== 'null');
  return objects.length === 1 && objects[0] ? innerOf(objects[0]) : undefined;
}

function typeOf(schema: Schema): string {
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices) return choices.map((choice) => (choice.properties ? shapeOf(choice) : typeOf(choice))).join(' or ');
  // An optional or described member wraps its reference.
  const ref = schema.$ref ?? schema.allOf?.[0]?.$ref;
  if (ref) return refName(ref);
  if (schema.const !== undefined) return `\`${JSON.stringify(schema.const)}\``;
  if (schema.enum) return schema.enum.map((value) => `\`${JSON.stringify(value)}\``).join(' or ');
  if (schema.type === 'array') return `array of ${schema.items ? typeOf(schema.items) : 'values'}${counted(schema)}`;
  if (schema.type === 'object') return 'object';
  return `${[schema.type ?? 'any'].flat().join(' or ')}${limits(schema)}`;
}

/** The alternatives of a union of objects are told apart by their members. */
function shapeOf({ properties = {} }: Schema): string {
  return `{${Object.entries(properties)
    .map(([name, member]) => `${name}: ${typeOf(member)}`)
    .join(', ')}}`;
}

/** Recursive schemas have names, and are described under Types. */
function refName(ref: string): string {
  const name = ref.replace('#/definitions/', '');
  return `[${name}](#${name.toLowerCase()})`;
}

function counted({ minItems, maxItems }: Schema): string {
  if (maxItems === undefined) return '';
  return `, ${minItems ?? 0} to ${maxItems.toLocaleString('en')}`;
}

function limits({ minLength, maxLength, minimum, maximum, format }: Schema): string {
  const parts: string[] = [];
  if (format === 'date-time') parts.push('RFC 3339');
  if (format === 'date') parts.push('YYYY-MM-DD');
  if (maxLength !== undefined) parts.push(`${minLength ?? 0} to ${maxLength.toLocaleString('en')} characters`);
  const low = minimum !== undefined && !noLimit.has(minimum) ? minimum.toLocaleString('en') : undefined;
  const high = maximum !== undefined && !noLimit.has(maximum) ? maximum.toLocaleString('en') : undefined;
  if (low !== undefined && high !== undefined) parts.push(`${low} to ${high}`);
  else if (low !== undefined) parts.push(`${low} or more`);
  return parts.length > 0 ? ` (${parts.join(', ')})` : '';
}

function meaningOf(schema: Schema): string {
  const byDefault = schema.default === undefined ? '' : `Default \`${JSON.stringify(schema.default)}\`.`;
  return [schema.description ?? '', byDefault].filter(Boolean).join(' ');
}

function table(head: string[], rows: string[][]): string {
  const line = (cells: string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}
