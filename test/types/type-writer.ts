import type { z } from 'zod';

/** What of a zod schema types are made of. */
interface Definition {
  type: string;
  innerType?: z.ZodType;
  element?: z.ZodType;
  options?: readonly z.ZodType[];
  items?: readonly z.ZodType[];
  shape?: Record<string, z.ZodType>;
  entries?: Record<string, string>;
  values?: readonly unknown[];
  valueType?: z.ZodType;
  defaultValue?: unknown;
}

/** Longest line of a comment. */
const WIDE = 118;
/** zod has these where no limit was stated, and a uid has its own; neither says anything to a reader. */
const noLimit = new Set([Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER, 4_294_967_295, Number.POSITIVE_INFINITY]);

export function definitionOf(schema: z.ZodType): Definition {
  return schema._zod.def as unknown as Definition;
}

/** The members of an object. */
export function membersOf(schema: z.ZodType): Record<string, z.ZodType> {
  return definitionOf(schema).shape ?? {};
}

/** Writes schemas as types of TypeScript. Named schemas become references, which `used` collects. */
export class TypeWriter {
  readonly used = new Set<string>();
  readonly #names: ReadonlyMap<unknown, string>;
  readonly #io: 'input' | 'output';
  /** References that are written in another way: rows, whose members follow from `fields`. */
  readonly #generic: Readonly<Record<string, string>>;

  /** @param names by the definition of each schema that has a name of its own */
  constructor(names: ReadonlyMap<unknown, string>, io: 'input' | 'output', generic: Record<string, string> = {}) {
    this.#names = names;
    this.#io = io;
    this.#generic = generic;
  }

  /** Members with their descriptions, as the body of an interface. */
  members(shape: Record<string, z.ZodType>): string {
    return Object.entries(shape)
      .map(
        ([name, schema]) =>
          `${commentOf(this.#meaningOf(schema))}${name}${this.#optional(schema) ? '?' : ''}: ${this.type(schema)};`,
      )
      .join('\n');
  }

  type(schema: z.ZodType): string {
    const name = this.#names.get(definitionOf(schema));
    return name === undefined ? this.structure(schema) : this.#reference(name);
  }

  /** The type without its own name. */
  structure(schema: z.ZodType): string {
    const def = definitionOf(schema);
    const { innerType, element, options = [], items = [], valueType } = def;
    if (innerType)
      return def.type === 'nullable' ? `${this.type(innerType)} | null` : this.#withUndefined(def, innerType);
    if (element) return this.#arrayOf(this.type(element));
    if (valueType) return `Record<string, ${this.type(valueType)}>`;
    if (def.type === 'tuple') return `${this.#readonly}[${items.map((item) => this.type(item)).join(', ')}]`;
    if (def.type === 'union') return options.map((option) => this.type(option)).join(' | ');
    if (def.type === 'enum')
      return Object.values(def.entries ?? {})
        .map(quoted)
        .join(' | ');
    if (def.type === 'literal') return (def.values ?? []).map(quoted).join(' | ');
    if (def.type === 'object') return `{\n${this.members(def.shape ?? {})}\n}`;
    if (['string', 'number', 'boolean', 'unknown'].includes(def.type)) return def.type;
    throw new Error(`There is no type for a schema of type ${def.type}.`);
  }

  #reference(name: string): string {
    this.used.add(name);
    return this.#generic[name] ?? name;
  }

  /** A caller may give undefined for what it does not want; an answer has no such member. */
  #withUndefined({ type }: Definition, inner: z.ZodType): string {
    const written = this.type(inner);
    return this.#io === 'input' && (type === 'optional' || type === 'default') ? `${written} | undefined` : written;
  }

  get #readonly(): string {
    return this.#io === 'input' ? 'readonly ' : '';
  }

  #arrayOf(element: string): string {
    return `${this.#readonly}${/^[\w<>, ]+$/.test(element) ? element : `(${element})`}[]`;
  }

  #optional(schema: z.ZodType): boolean {
    const { type } = definitionOf(schema);
    return type === 'optional' || (type === 'default' && this.#io === 'input');
  }

  /** The description of a member; what is given has its default and its bounds as well. */
  #meaningOf(schema: z.ZodType): string {
    const meaning = descriptionOf(schema);
    if (this.#io === 'output') return meaning;
    return [meaning, defaultIn(schema, meaning), boundsOf(schema, meaning)].filter((text) => text !== '').join(' ');
  }
}

/** The description of a schema or of what it wraps. */
export function descriptionOf(schema: z.ZodType): string {
  const { innerType, element } = definitionOf(schema);
  if (schema.description !== undefined) return schema.description;
  const inner = innerType ?? element;
  return inner ? descriptionOf(inner) : '';
}

function defaultIn(schema: z.ZodType, meaning: string): string {
  const { type, defaultValue } = definitionOf(schema);
  return type !== 'default' || /\bdefault\b/i.test(meaning) ? '' : `Default: \`${JSON.stringify(defaultValue)}\`.`;
}

function boundsOf(schema: z.ZodType, meaning: string): string {
  const { innerType, type } = definitionOf(schema);
  if (innerType) return boundsOf(innerType, meaning);
  const { minimum = 0, maximum, format } = schema._zod.bag as { minimum?: number; maximum?: number; format?: string };
  if (format === 'datetime' || maximum === undefined || noLimit.has(maximum)) return '';
  const [least, most] = [minimum.toLocaleString('en'), maximum.toLocaleString('en')];
  if (meaning.includes(most) || meaning.includes(String(maximum))) return '';
  const unit = { string: ' characters', array: ' elements' }[type] ?? '';
  return `${least} to ${most}${unit}.`;
}

/** A comment with a line end behind it; nothing for an empty text. Lines of the text stay lines. */
export function commentOf(text: string): string {
  if (text === '') return '';
  const lines = text.replaceAll('*/', '* /').split('\n').flatMap(wrapped);
  const [only = ''] = lines;
  if (lines.length === 1) return `/** ${only} */\n`;
  return `/**\n${lines.map((line) => ` * ${line}\n`).join('')} */\n`;
}

function wrapped(text: string): string[] {
  const lines = [''];
  for (const word of text.split(' ')) {
    const line = lines.at(-1) ?? '';
    // Indented by two interfaces, and in a comment.
    if (line !== '' && line.length + 1 + word.length > WIDE - 10) lines.push(word);
    else lines[lines.length - 1] = line === '' ? word : `${line} ${word}`;
  }
  return lines;
}

function quoted(value: unknown): string {
  return JSON.stringify(value);
}
