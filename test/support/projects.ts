import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Helpers that start what is not part of Node: a mail server, the built program, a browser, a terminal. */
const STARTS = /^test\/(?:support\/(?:dovecot|namespaced|unpacked|tmux|chromium|manager\/.*)|cli\/built)\.ts$/;

/** What a test file needs decides its project; the first that fits. */
const projects: readonly [name: string, fits: (file: string) => boolean][] = [
  ['model', (file) => file.startsWith('test/model/') || /\/(?:fuzz|histories)\.test\.ts$/.test(file)],
  [
    'system',
    (file) =>
      /^test\/(?:cli|clients|container|dashboard|demo|docs|examples|release|servers|system)\//.test(file) &&
      startsSomething(file),
  ],
  ['dovecot', startsSomething],
  ['unit', () => true],
];

/** The test files of each project, as paths from the top. */
export function projectFiles(): Map<string, string[]> {
  const found = new Map<string, string[]>(projects.map(([name]) => [name, []]));
  for (const path of readdirSync(join(root, 'test'), { recursive: true, encoding: 'utf8' })) {
    if (!path.endsWith('.test.ts')) continue;
    const file = join('test', path);
    const [name = 'unit'] = projects.find(([, fits]) => fits(file)) ?? [];
    found.get(name)?.push(file);
  }
  return found;
}

function startsSomething(file: string): boolean {
  return [...helpersOf(file)].some((helper) => STARTS.test(helper));
}

const known = new Map<string, Set<string>>();

/** Files below test that a file imports, not for types alone, and what these import. */
function helpersOf(file: string): ReadonlySet<string> {
  const helpers = known.get(file) ?? new Set<string>();
  if (known.has(file) || !existsSync(join(root, file))) return helpers;
  known.set(file, helpers);
  const statement = /^(?:import|export)\s+(?!type\s)(?:[^'";]*?\sfrom\s+)?'(\.[^']+)'/gm;
  for (const [, target = ''] of readFileSync(join(root, file), 'utf8').matchAll(statement)) {
    const helper = relative(root, resolve(root, dirname(file), target)).replace(/\.js$/, '.ts');
    if (!helper.startsWith('test/')) continue;
    helpers.add(helper);
    for (const further of helpersOf(helper)) helpers.add(further);
  }
  return helpers;
}
