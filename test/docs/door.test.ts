import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const textOf = (file: string) => readFileSync(join(root, file), 'utf8');
const sources = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' }).map((path) => `src/${path}`);

/** What stands between backticks and is a path: without a placeholder, and with a slash or the end of a source file. */
function pathsIn(text: string): string[] {
  const quoted = [...text.matchAll(/`([^`\n]+)`/g)].map(([, path = '']) => path);
  return quoted.filter((path) => /^(?:src|test|docs)\/[^<*\s]+$|^[\w./-]+\.ts$/.test(path));
}

/** Whether there is such a file or folder, named from the top or by the end of its path. */
const isThere = (path: string) => existsSync(join(root, path)) || sources.some((source) => source.endsWith(`/${path}`));

describe.each(['ARCHITECTURE.md', 'CONTRIBUTING.md', 'SECURITY.md'])('%s', (file) => {
  it('names files and folders that are there', () => {
    expect(pathsIn(textOf(file)).filter((path) => !isThere(path))).toEqual([]);
  });
});

it('ARCHITECTURE.md names each folder of src', () => {
  const folders = readdirSync(join(root, 'src'), { withFileTypes: true }).filter((entry) => entry.isDirectory());
  const text = textOf('ARCHITECTURE.md');
  expect(folders.map(({ name }) => name).filter((name) => !text.includes(`src/${name}`))).toEqual([]);
});

it('CONTRIBUTING.md names commands that package.json has', () => {
  const { scripts } = JSON.parse(textOf('package.json')) as { scripts: Record<string, string> };
  const named = [...textOf('CONTRIBUTING.md').matchAll(/`npm run ([\w:]+)/g)].map(([, name = '']) => name);
  expect(named.length).toBeGreaterThan(3);
  expect(named.filter((name) => scripts[name] === undefined)).toEqual([]);
});
