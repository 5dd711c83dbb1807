import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
/** Folders of what is installed, built or kept by tools. */
const PASSED_OVER = new Set(['node_modules', 'dist', 'coverage']);

function documentsIn(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return PASSED_OVER.has(entry.name) || entry.name.startsWith('.') ? [] : documentsIn(path);
    return entry.name.endsWith('.md') ? [path] : [];
  });
}

/** A document without its blocks of code, in which neither headings nor links count. */
const proseOf = (path: string) => readFileSync(path, 'utf8').replace(/^( *)(```+|~~~+)[\s\S]*?^\1\2$/gm, '');

/** The anchors of a document's headings, as GitHub makes them. */
function anchorsOf(path: string): Set<string> {
  const anchors = new Set<string>();
  for (const [, heading = ''] of proseOf(path).matchAll(/^#{1,6} +(.+?) *#*$/gm)) {
    const text = heading.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1').toLowerCase();
    const anchor = text.replace(/[^\p{L}\p{N}\s_-]/gu, '').replace(/\s/g, '-');
    let unique = anchor;
    for (let count = 1; anchors.has(unique); count += 1) unique = `${anchor}-${count}`;
    anchors.add(unique);
  }
  for (const [, id = ''] of proseOf(path).matchAll(/<a (?:id|name)="([^"]+)"/g)) anchors.add(id);
  return anchors;
}

/** Targets of links and pictures that are files of this project, or headings in them. */
function targetsOf(path: string): string[] {
  const prose = proseOf(path).replace(/`[^`\n]*`/g, '');
  const inline = [...prose.matchAll(/\]\(<?([^()\s>]+)>?(?:\s+"[^"]*")?\)/g)];
  const references = [...prose.matchAll(/^ *\[[^\]]+\]: +<?(\S+?)>?$/gm)];
  const html = [...prose.matchAll(/<(?:a|img|source)\b[^>]*?\b(?:href|src|srcset)="([^"]+)"/g)];
  return [...inline, ...references, ...html]
    .map(([, target = '']) => target)
    .filter((target) => !/^[a-z]+:/i.test(target));
}

/** What is wrong with a link; nothing where it leads to a file, and to a heading of it where it names one. */
function problemOf(from: string, target: string): string | undefined {
  const [file = '', anchor] = decodeURI(target).split('#');
  const path = file === '' ? from : join(dirname(from), file);
  if (relative(root, path).startsWith('..') || !existsSync(path)) return `${target}: there is no such file`;
  if (anchor === undefined) return undefined;
  if (statSync(path).isDirectory() || !path.endsWith('.md')) return `${target}: it is no document with headings`;
  return anchorsOf(path).has(anchor) ? undefined : `${target}: there is no such heading`;
}

describe('links', () => {
  const documents = documentsIn(root);

  it('are looked for in all documents', () => {
    const names = documents.map((path) => relative(root, path));
    expect(names).toEqual(
      expect.arrayContaining(['README.md', 'CHANGELOG.md', 'docs/concepts.md', 'docs/protocol.md']),
    );
  });

  it.each(documents.map((path) => [relative(root, path), path]))(
    'of %s lead to files and headings that are there',
    (_, path) => {
      expect(targetsOf(path).flatMap((target) => problemOf(path, target) ?? [])).toEqual([]);
    },
  );

  it('of README.md name every document of the folder docs', () => {
    const named = new Set(targetsOf(join(root, 'README.md')).map((target) => target.replace(/#.*$/, '')));
    const there = readdirSync(join(root, 'docs')).filter((name) => name.endsWith('.md'));
    expect(there.filter((name) => !named.has(`docs/${name}`))).toEqual([]);
  });
});
