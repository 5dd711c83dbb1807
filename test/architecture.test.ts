import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));
const MAX_LINES = 400;
const MAX_FILES = 20;

/** What a broker is put together from. */
const all = ['runtime', 'protocol', 'shared', 'imap', 'session', 'pool', 'view', 'watch', 'methods', 'server'];

/** Which folders of src a folder may import beside itself. */
const layers: Record<string, readonly string[]> = {
  runtime: [],
  protocol: [],
  text: [],
  imap: ['protocol', 'runtime', 'text'],
  session: ['protocol', 'runtime'],
  shared: ['protocol', 'runtime'],
  pool: ['imap', 'protocol', 'runtime'],
  view: ['pool', 'imap', 'protocol', 'runtime'],
  watch: ['pool', 'view', 'imap', 'protocol', 'runtime'],
  methods: ['session', 'view', 'watch', 'pool', 'imap', 'protocol', 'runtime'],
  server: ['methods', 'watch', 'session', 'protocol', 'runtime'],
  client: ['protocol', 'text'],
  // The configuration turns into the plain options of those that it configures, and takes their defaults.
  config: ['broker', 'imap', 'pool', 'view', 'server', 'session', 'protocol', 'runtime'],
  cli: ['broker', 'client', 'config', 'session', 'protocol', 'runtime'],
  broker: all,
};

/** Which rooms of their folder the files of a room may import beside the room itself. */
const rooms: Record<string, readonly string[]> = {
  'imap/wire': [],
  'imap/mime': ['imap/wire'],
  'imap/login': ['imap/wire'],
  'imap/connection': ['imap/login', 'imap/wire'],
  'imap/mailboxes': ['imap/connection', 'imap/wire'],
  'imap/messages': ['imap/mailboxes', 'imap/connection', 'imap/mime', 'imap/wire'],
  'pool/observe': [],
  'pool/lease': ['pool/observe'],
  'pool/queue': ['pool/lease'],
  'pool/share': ['pool/queue'],
  'pool/supply': ['pool/queue', 'pool/lease'],
};

/** Packages that stay within one folder. */
const kept: Record<string, readonly string[]> = {
  imapflow: ['imap'],
  'generic-pool': ['pool'],
  commander: ['cli'],
  htmlparser2: ['text'],
  'lru-cache': ['view'],
  '@redis/client': ['shared'],
  'smol-toml': ['config'],
  pino: ['runtime'],
  'prom-client': ['runtime'],
  ws: ['server', 'client'],
};

interface Import {
  file: string;
  folder: string;
  target: string;
}

function filesBelow(folder: string, pattern: RegExp): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((path) => pattern.test(path))
    .map((path) => join(folder, path));
}

function importsOf(file: string): Import[] {
  const text = readFileSync(join(root, file), 'utf8');
  const statement = /^(?:import|export)\s+(?:type\s)?(?:[^'";]*?\sfrom\s+)?'([^']+)'|\bimport\(\s*'([^']+)'/gm;
  return [...text.matchAll(statement)].map(([, fixed, lazy]) => ({
    file,
    folder: folderOf(file),
    target: fixed ?? lazy ?? '',
  }));
}

/** The folder of src that a file is in. */
function folderOf(file: string): string {
  return relative('src', file).split('/')[0] ?? '';
}

/** The first two folders below src that a file is in. */
function roomOf(file: string): string {
  return relative('src', file).split('/').slice(0, 2).join('/');
}

function mayEnter(from: string, to: string): boolean {
  return to === from || rooms[from]?.includes(to) === true;
}

/** The file that a relative import means. */
function targetFile({ file, target }: Import): string {
  return relative(root, resolve(root, dirname(file), target)).replace(/\.js$/, '.ts');
}

function packageOf(target: string): string {
  return target.startsWith('@') ? target.split('/').slice(0, 2).join('/') : (target.split('/')[0] ?? target);
}

const textOf = (file: string) => readFileSync(join(root, file), 'utf8');
const sources = filesBelow('src', /\.ts$/);
const imports = sources.flatMap(importsOf);
const inside = imports.filter(({ target }) => target.startsWith('.'));
const outside = imports.filter(({ target }) => !target.startsWith('.'));
const told = ({ file, target }: Import) => `${file} imports ${target}`;

describe('who may import whom', () => {
  it('finds the imports', () => {
    expect(inside.length).toBeGreaterThan(50);
    expect(outside.some(({ target }) => target === 'imapflow')).toBe(true);
  });

  it('has a rule for each folder of src', () => {
    expect(Object.keys(layers)).toEqual(expect.arrayContaining([...new Set(sources.map(folderOf))]));
  });

  it('goes downward between folders', () => {
    const wrong = inside.filter((one) => {
      const to = folderOf(targetFile(one));
      return to !== one.folder && !layers[one.folder]?.includes(to);
    });
    expect(wrong.map(told)).toEqual([]);
  });

  it('goes one way between rooms', () => {
    const wrong = inside.filter((one) => {
      const [from, to] = [roomOf(one.file), roomOf(targetFile(one))];
      return from in rooms && to in rooms && folderOf(one.file) === folderOf(targetFile(one)) && !mayEnter(from, to);
    });
    expect(wrong.map(told)).toEqual([]);
    const withRooms = new Set(Object.keys(rooms).map((room) => room.split('/')[0]));
    const all = sources.filter((file) => withRooms.has(folderOf(file)) && file.split('/').length > 3).map(roomOf);
    expect([...new Set(all)].sort()).toEqual(Object.keys(rooms).sort());
  });

  it('has no circles, types included', () => {
    const graph = new Map<string, string[]>();
    for (const one of inside) {
      graph.set(one.file, [...(graph.get(one.file) ?? []), targetFile(one)]);
    }
    expect([...graph.keys()].flatMap((file) => circle(graph, file) ?? [])).toEqual([]);
  });

  it('lets imapflow into the folder of the login alone, by its public API', () => {
    const users = outside.filter(({ target }) => packageOf(target) === 'imapflow');
    expect(users.length).toBeGreaterThan(0);
    // Names that folders have in many languages, an entry point of the package without any connection.
    const names = ({ file, target }: Import) =>
      file === 'src/imap/mailboxes/special-use.ts' && target === 'imapflow/lib/special-use.js';
    const wrong = users.filter((one) => {
      return !names(one) && !(one.file.startsWith('src/imap/login/') && one.target === 'imapflow');
    });
    expect(wrong.map(told)).toEqual([]);
    // A cast or a look-up by name is how its inside would be reached.
    const casts = sources
      .filter((file) => file.startsWith('src/imap/login/'))
      .filter((file) => {
        return /flow as unknown|flow\[|Reflect\.(?:get|set)|flow\._/.test(readFileSync(join(root, file), 'utf8'));
      });
    expect(casts).toEqual([]);
  });

  it('keeps packages within their folder', () => {
    const wrong = outside.filter(({ folder, target }) => kept[packageOf(target)]?.includes(folder) === false);
    expect(wrong.map(told)).toEqual([]);
  });

  it('lets protocol import zod alone', () => {
    const wrong = outside.filter(({ folder, target }) => folder === 'protocol' && target !== 'zod');
    expect(wrong.map(told)).toEqual([]);
  });

  it('lets the client import no package, but for its transport of Node and its reader of html', () => {
    // Of calls.ts only the type of streams is Node's.
    const allowed = ['src/client/transport-node.ts', 'src/client/calls.ts', 'src/text/html-text.ts'];
    const wrong = outside.filter(({ file, folder }) => folder === 'client' && !allowed.includes(file));
    expect(wrong.map(told)).toEqual([]);
  });

  it('has each package of src as a dependency, and no dependency that src does not use', () => {
    const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
      dependencies: Record<string, string>;
    };
    const packages = outside.filter(({ target }) => !target.startsWith('node:')).map(({ target }) => packageOf(target));
    // The page is no module: the broker serves its files, among them those of the charts.
    const served = ['uplot'].filter((name) => sources.some((file) => textOf(file).includes(`${name}/`)));
    expect(Object.keys(dependencies).sort()).toEqual([...new Set([...packages, ...served])].sort());
  });
});

describe('files', () => {
  const all = ['src', 'bin', 'test'].flatMap((folder) => filesBelow(folder, /\.(ts|mjs)$/));

  it(`have at most ${MAX_LINES} lines`, () => {
    const long = all.filter((file) => textOf(file).split('\n').length - 1 > MAX_LINES);
    expect(long).toEqual([]);
  });

  it(`of src are at most ${MAX_FILES} to a folder`, () => {
    const counts = new Map<string, number>();
    for (const file of sources) counts.set(dirname(file), (counts.get(dirname(file)) ?? 0) + 1);
    expect([...counts].filter(([, count]) => count > MAX_FILES)).toEqual([]);
  });

  it('are named in kebab-case', () => {
    expect(all.filter((file) => !/^[a-z0-9./-]+$/.test(file))).toEqual([]);
  });

  it('switch no check off', () => {
    const off = /@ts-(?:ignore|nocheck|expect-error)|\b(?:it|test|describe)\.(?:skip|only|todo)\b/;
    const self = relative(root, fileURLToPath(import.meta.url));
    expect(all.filter((file) => file !== self && off.test(textOf(file)))).toEqual([]);
  });
});

/** A way from a file back to itself. */
function circle(graph: ReadonlyMap<string, readonly string[]>, start: string): string | undefined {
  const seen = new Set<string>();
  const open = [[start]];
  for (let way = open.pop(); way; way = open.pop()) {
    for (const next of graph.get(way.at(-1) ?? '') ?? []) {
      if (next === start) return [...way, next].join(' -> ');
      if (!seen.has(next)) open.push([...way, next]);
      seen.add(next);
    }
  }
  return undefined;
}
