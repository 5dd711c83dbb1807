import type { z } from 'zod';
import { contract } from '../../src/protocol/contract.js';
import type { MethodDefinition } from '../../src/protocol/define.js';
import { contractFiles, type Named, named } from './named-schemas.js';
import { commentOf, definitionOf, descriptionOf, membersOf, TypeWriter } from './type-writer.js';

/** The types of the typed client that follow from the contract: file name, without its end, and text. */
export function declarations(): Map<string, string> {
  const files = new Map<string, SourceFile>();
  const fileOf = (name: string) => {
    const file = files.get(name) ?? new SourceFile();
    files.set(name, file);
    return file;
  };
  for (const one of named) fileOf(one.file).add(namedType(one));
  for (const base of bases) fileOf('models').add(baseOf(base));
  for (const [file, methods] of Object.entries(contractFiles)) {
    const definitions = Object.values(methods) as MethodDefinition[];
    for (const definition of definitions) for (const one of methodTypes(definition)) fileOf(file).add(one);
    // With its calls the file of the folders would be too long.
    const callsFile = file === 'mailbox' ? 'mailbox-calls' : file;
    for (const one of callTypes(file, definitions)) fileOf(callsFile).add(one);
  }
  for (const one of [areas('Areas', false), areas('SessionAreas', true)]) fileOf('areas').add(one);
  for (const one of byName()) fileOf('by-name').add(one);
  const places = new Map(outside);
  for (const [name, file] of files) for (const one of file.names) places.set(one, `./${name}.js`);
  const texts = new Map(Array.from(files, ([name, file]) => [name, file.text(places)]));
  return texts.set('methods', methodTable());
}

const HEAD = '// Written by `npm run docs` from src/protocol.\n\n';

/** What is written by hand, by the module that has it. */
const outside: [name: string, module: string][] = [
  ...['AppendBytes', 'AppendStream', 'Body', 'CallOptions', 'Anew', 'InSession'].map((name): [string, string] => [
    name,
    '../calls.js',
  ]),
  ...['DefaultFields', 'Fields', 'Row'].map((name): [string, string] => [name, '../rows.js']),
];

/** One declaration, with the names that it uses. */
interface Declaration {
  name: string;
  text: string;
  uses: Iterable<string>;
}

class SourceFile {
  readonly #declarations = new Map<string, Declaration>();

  get names(): Iterable<string> {
    return this.#declarations.keys();
  }

  add(declaration: Declaration): void {
    this.#declarations.set(declaration.name, declaration);
  }

  text(places: ReadonlyMap<string, string>): string {
    const all = [...this.#declarations.values()];
    const wanted = new Set(all.flatMap(({ uses }) => [...uses]).filter((name) => !this.#declarations.has(name)));
    const modules = new Map<string, string[]>();
    for (const name of wanted) {
      const place = places.get(name);
      if (place === undefined) throw new Error(`There is no type ${name}.`);
      modules.set(place, [...(modules.get(place) ?? []), name]);
    }
    const imports = Array.from(modules, ([module, names]) => `import type { ${names.join(', ')} } from '${module}';\n`);
    return `${HEAD}${imports.join('')}\n${all.map(({ text }) => text).join('\n')}`;
  }
}

const names = new Map(named.map(({ schema, name }) => [definitionOf(schema) as unknown, name]));
/** How rows, and what has rows, are written where the members of rows follow from `fields`. */
const rows = {
  MessageSummary: 'R',
  FoundMessage: 'R',
  ...Object.fromEntries(named.filter((one) => one.rows).map(({ name }) => [name, `${name}<R>`])),
};
/** Names of types that have rows, and of what their rows have at least. */
const rowOf = (used: ReadonlySet<string>) => (used.has('FoundMessage') ? 'FoundMessage' : 'MessageSummary');

function pascal(name: string): string {
  return name.replace(/(?:^|[.-])([a-z])/g, (_all, letter: string) => letter.toUpperCase());
}

function namedType({ name, schema, about, sent = false, rows: hasRows = false }: Named): Declaration {
  const writer = new TypeWriter(names, sent ? 'input' : 'output', hasRows ? rows : {});
  const comment = commentOf(about || descriptionOf(schema));
  const isObject = definitionOf(schema).type === 'object';
  const body = isObject ? `{\n${writer.members(membersOf(schema))}\n}` : `${writer.structure(schema)};`;
  const row = rowOf(writer.used);
  const head = hasRows ? `${name}<R extends ${row} = ${row}>` : name;
  const text = `${comment}export ${isObject ? `interface ${head}` : `type ${head} =`} ${body}\n`;
  return { name, text, uses: [...writer.used, ...(hasRows ? [row] : [])] };
}

/** Parameters that many methods have, each base with those of the one below it. */
const bases = [
  { name: 'RequestParams', below: undefined, members: ['timeoutMs'], about: 'Parameters of every method.' },
  {
    name: 'WriteParams',
    below: 'RequestParams',
    members: ['slot', 'explain'],
    about: 'Parameters of every method that changes mail.',
  },
  {
    name: 'ReadParams',
    below: 'WriteParams',
    members: ['maxAgeMs'],
    about: 'Parameters of every method that reads mail.',
  },
  {
    name: 'KeptParams',
    below: 'ReadParams',
    members: ['ifState'],
    about: 'Parameters of every method whose answers can be kept.',
  },
] as const;
type Base = (typeof bases)[number];

function baseOf({ name, below, members, about }: Base): Declaration {
  const shape = contract['message.list'].params.shape as Record<string, z.ZodType>;
  const writer = new TypeWriter(names, 'input');
  const own = writer.members(only(shape, (member) => (members as readonly string[]).includes(member)));
  const head = below === undefined ? name : `${name} extends ${below}`;
  return { name, text: `${commentOf(about)}export interface ${head} {\n${own}\n}\n`, uses: below ? [below] : [] };
}

function only(shape: Record<string, z.ZodType>, wanted: (name: string) => boolean): Record<string, z.ZodType> {
  return Object.fromEntries(Object.entries(shape).filter(([name]) => wanted(name)));
}

/** Methods that the client calls for `watch`; what they take is in the options of a watch. */
const watching = new Set(['watch.start', 'watch.stop', 'events.resume']);
/** Members that the client fills in or takes away. */
const ofUploads = new Set(['data', 'stream', 'size']);
const UPLOAD = 'message.append';
/** What an upload has in place of them, one or the other. */
const contents = ['AppendBytes', 'AppendStream'];
const ofDownloads = new Set(['data', 'stream']);
const downloads = new Set(['message.part', 'message.source']);

interface Signature {
  params: string;
  required: boolean;
  result: string;
  /** What rows in the result have at least, where their members follow from `fields`. */
  row: string | undefined;
  kept: boolean;
}

function baseFor(shape: object): Base {
  return bases.findLast(({ members }) => members.every((name) => name in shape)) ?? bases[0];
}

/** The parameters of a method that are its own. */
function ownParams({ name, params }: MethodDefinition): Record<string, z.ZodType> {
  const common = new Set<string>(['session', ...bases.flatMap(({ members }) => members)]);
  const isUpload = name === UPLOAD;
  return only(
    params.shape as Record<string, z.ZodType>,
    (one) => !common.has(one) && !(isUpload && ofUploads.has(one)),
  );
}

function signatureOf(definition: MethodDefinition): Signature {
  const { name, params, result } = definition;
  const own = ownParams(definition);
  const whole = wholeResult(result);
  const writer = new TypeWriter(names, 'output');
  writer.members(membersOf(whole));
  const hasRows = 'fields' in own && !watching.has(name);
  return {
    params: Object.keys(own).length === 0 ? baseFor(params.shape).name : `${pascal(name)}Params`,
    required:
      name === UPLOAD || Object.values(own).some((one) => !['optional', 'default'].includes(definitionOf(one).type)),
    result: names.get(definitionOf(whole)) ?? `${pascal(name)}Result`,
    row: hasRows ? rowOf(writer.used) : undefined,
    kept: 'ifState' in params.shape,
  };
}

/** The result without the alternative that nothing has changed. */
function wholeResult(result: z.ZodType): z.ZodType {
  return definitionOf(result).options?.[0] ?? result;
}

function methodTypes(definition: MethodDefinition): Declaration[] {
  const types = [resultType(definition)];
  if (!watching.has(definition.name)) types.unshift(paramsType(definition));
  return types.filter((one) => one !== undefined);
}

function paramsType(definition: MethodDefinition): Declaration | undefined {
  const own = ownParams(definition);
  const { params: name, row } = signatureOf(definition);
  if (Object.keys(own).length === 0) return undefined;
  const base = baseFor(definition.params.shape).name;
  const writer = new TypeWriter(names, 'input');
  const comment = commentOf(`Parameters of ${definition.name}.`);
  const body = writer.members(own);
  const head = row ? `${name}<F extends Fields = Fields>` : name;
  const text = `${comment}export interface ${head} extends ${base} {\n${body}\n}\n`;
  // The members that are asked for are known to the type of the answer.
  const generic = row ? text.replace(/^(\s*fields\?: ).*;$/m, '$1F | undefined;') : text;
  const uses = new Set([...writer.used, base, ...(row ? ['Fields'] : [])]);
  if (row) uses.delete('Field');
  return { name, text: generic, uses };
}

function resultType(definition: MethodDefinition): Declaration | undefined {
  const whole = wholeResult(definition.result);
  if (names.has(definitionOf(whole))) return undefined;
  const { result: name, row } = signatureOf(definition);
  const writer = new TypeWriter(names, 'output', row ? rows : {});
  const comment = commentOf(`What ${definition.name} answers.`);
  if (definitionOf(whole).type !== 'object') {
    return { name, text: `${comment}export type ${name} = ${writer.structure(whole)};\n`, uses: writer.used };
  }
  const carries = downloads.has(definition.name);
  const body = writer.members(only(membersOf(whole), (one) => !(carries && ofDownloads.has(one))));
  const bytes = carries
    ? `\n${commentOf('The bytes, however they travel: read or cancel it, else the connection to the IMAP server stays busy.')}body: Body;`
    : '';
  const head = row ? `${name}<R extends ${row} = ${row}>` : name;
  const uses = [...writer.used, ...(row ? [row] : []), ...(carries ? ['Body'] : [])];
  return { name, text: `${comment}export interface ${head} {\n${body}${bytes}\n}\n`, uses };
}

function callsName(file: string, area: string, inSession: boolean): string {
  const short = file.startsWith(area) ? pascal(file) : pascal(file) + pascal(area);
  return `${short}Calls${inSession ? 'InSession' : ''}`;
}

function areaOf({ name }: MethodDefinition): string {
  return name.split('.')[0] ?? '';
}

/** For each area of a file its methods, for a client and for a client of one session. */
function callTypes(file: string, definitions: readonly MethodDefinition[]): Declaration[] {
  return [false, true].flatMap((inSession) => {
    const wanted = definitions.filter((one) => isCall(one, inSession));
    return [...new Set(wanted.map(areaOf))].map((area) => {
      const own = wanted.filter((one) => areaOf(one) === area);
      const name = callsName(file, area, inSession);
      const body = own.map((one) => callText(one, inSession)).join('\n');
      const uses = own.flatMap((one) => usesOfCall(one, inSession));
      return { name, text: `export interface ${name} {\n${body}\n}\n`, uses };
    });
  });
}

function isCall({ name, access }: MethodDefinition, inSession: boolean): boolean {
  return !watching.has(name) && (!inSession || access === 'session');
}

function callText(definition: MethodDefinition, inSession: boolean): string {
  const { params, required, result, row, kept } = signatureOf(definition);
  const verb = definition.name.split('.')[1] ?? '';
  const named = definition.access === 'session' && !inSession;
  const given = row ? `${params}<F>` : params;
  const whole = named ? `InSession<${given}>` : given;
  const generics = row ? '<const F extends Fields = DefaultFields>' : '';
  const answer = row ? `${result}<Row<${row}, F>>` : result;
  const sign = (type: string, answers: string) =>
    `${verb}${generics}(params${required || named ? '' : '?'}: ${type}, options?: CallOptions): Promise<${answers}>;`;
  const errors = definition.errors.filter((kind) => kind !== 'INVALID_PARAMS');
  const about = (more = '') =>
    commentOf(
      [
        `${definition.summary}${more}`,
        ...(errors.length > 0 ? [`@throws RpcError of kind ${errors.join(', ')}`] : []),
      ].join('\n'),
    );
  if (definition.name === UPLOAD) {
    return contents.map((content) => `${about()}${sign(`${whole} & ${content}`, answer)}`).join('\n');
  }
  if (!kept) return `${about()}${sign(whole, answer)}`;
  const unchanged = ' With `ifState` it answers `{ unchanged: true }` where nothing has changed since then.';
  return `${about()}${sign(`Anew<${whole}>`, answer)}\n${about(unchanged)}${sign(whole, `${answer} | Unchanged`)}`;
}

function usesOfCall(definition: MethodDefinition, inSession: boolean): string[] {
  const { params, result, row, kept } = signatureOf(definition);
  return [
    ...[params, result, 'CallOptions'],
    ...(row ? [row, 'Row', 'Fields', 'DefaultFields'] : []),
    ...(kept ? ['Anew', 'Unchanged'] : []),
    ...(definition.name === UPLOAD ? contents : []),
    ...(definition.access === 'session' && !inSession ? ['InSession'] : []),
  ];
}

const aboutAreas: Record<string, string> = {
  session: 'Sessions of users.',
  mailbox: 'Folders.',
  message: 'Messages.',
  quota: 'Quotas.',
  broker: 'The broker itself.',
  rpc: 'The contract.',
};
const FOR_OPERATORS = 'For operators.';

/** All methods by area. */
function areas(name: string, inSession: boolean): Declaration {
  const uses: string[] = [];
  const byArea = new Map<string, string[]>();
  for (const [file, methods] of Object.entries(contractFiles)) {
    const definitions = (Object.values(methods) as MethodDefinition[]).filter((one) => isCall(one, inSession));
    for (const area of new Set(definitions.map(areaOf))) {
      const calls = callsName(file, area, inSession);
      uses.push(calls);
      byArea.set(area, [...(byArea.get(area) ?? []), calls]);
    }
  }
  const members = Array.from(
    byArea,
    ([area, calls]) => `${commentOf(aboutAreas[area] ?? FOR_OPERATORS)}${area}: ${calls.join(' & ')};`,
  );
  const about = inSession
    ? 'The methods that take a session, with the session filled in.'
    : 'Every method but those of watches.';
  return { name, text: `${commentOf(about)}export interface ${name} {\n${members.join('\n')}\n}\n`, uses };
}

/** Parameters and answers by the name of the method. */
function byName(): Declaration[] {
  const definitions = Object.values(contract) as unknown as MethodDefinition[];
  const calls = definitions.filter((one) => isCall(one, false));
  const lines = (all: readonly MethodDefinition[], type: (one: MethodDefinition) => string) =>
    all.map((one) => `'${one.name}': ${type(one)};`).join('\n');
  const sent = (one: MethodDefinition) => {
    const { params } = signatureOf(one);
    if (one.name === UPLOAD) return `InSession<${params}> & (${contents.join(' | ')})`;
    return one.access === 'session' ? `InSession<${params}>` : params;
  };
  const table = (
    name: string,
    about: string,
    all: readonly MethodDefinition[],
    type: (one: MethodDefinition) => string,
    uses: string[],
  ) => ({
    name,
    text: `${commentOf(about)}export interface ${name} {\n${lines(all, type)}\n}\n`,
    uses,
  });
  return [
    table('ParamsByMethod', 'Parameters of each method, as a call takes them.', calls, sent, [
      'InSession',
      ...contents,
      ...calls.map((one) => signatureOf(one).params),
    ]),
    table(
      'ResultByMethod',
      'What each method answers.',
      definitions,
      (one) => signatureOf(one).result,
      definitions.map((one) => signatureOf(one).result),
    ),
    {
      name: 'ParamsIn',
      text: `${commentOf('Parameters of a method.')}export type ParamsIn<M extends keyof ParamsByMethod> = ParamsByMethod[M];\n`,
      uses: ['ParamsByMethod'],
    },
    {
      name: 'Result',
      text: `${commentOf('What a method answers.')}export type Result<M extends keyof ResultByMethod> = ResultByMethod[M];\n`,
      uses: ['ResultByMethod'],
    },
  ];
}

/** What a client has to know of each method when it runs. */
function methodTable(): string {
  const lines = Object.values(contract).map(
    ({ name, effect, access }) => `'${name}': { effect: '${effect}', access: '${access}' },`,
  );
  const about = commentOf('Every method: what it does to mail, and whether it needs a session.');
  return `${HEAD}${about}export const methods = {\n${lines.join('\n')}\n} as const;\n\nexport type MethodName = keyof typeof methods;\n`;
}
