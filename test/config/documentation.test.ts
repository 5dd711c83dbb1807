import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parseConfig } from '../../src/config/load.js';
import { referenceTables } from './reference.js';

const root = new URL('../../', import.meta.url);
const docs = readdirSync(new URL('docs', root)).filter((name) => name.endsWith('.md'));
const pages = ['README.md', ...docs.map((name) => `docs/${name}`)];

/** A table without the padding that aligns its columns. */
function unpadded(markdown: string): string {
  return markdown
    .replace(/ +\|/g, ' |')
    .replace(/\| +/g, '| ')
    .replace(/\|(?: ?-{3,} ?\|)+/g, '|---|');
}

/** The fenced blocks of a page in a language. */
function blocks(page: string, language: string): string[] {
  const text = readFileSync(new URL(page, root), 'utf8');
  const fence = new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, 'gm');
  return [...text.matchAll(fence)].map(([, block]) => block ?? '');
}

describe('docs/configuration.md', () => {
  const file = new URL('docs/configuration.md', root);

  it.each([...referenceTables()])('has the keys of %s as the schema has them', (heading, table) => {
    const title = heading.startsWith('[') ? `\`${heading}\`` : heading;
    const text = readFileSync(file, 'utf8');
    const [before, section = ''] = text.split(`## ${title}\n`);
    if (process.env.UPDATE_DOCS === '1') {
      const written = section.replace(/\| key +\| value[^\n]*\n(?:\|[^\n]*\n)+/, `${table}\n`);
      writeFileSync(file, `${before}## ${title}\n${written}`);
    } else expect(unpadded(section.split('\n## ')[0] ?? '')).toContain(unpadded(table));
  });
});

describe('examples in TOML', () => {
  const examples = pages.flatMap((page) => blocks(page, 'toml').map((block) => ({ page, block })));

  it('are there', () => {
    expect(examples.length).toBeGreaterThan(1);
  });

  it.each(examples)('of $page pass check-config', ({ block }) => {
    expect(parseConfig(block, '/etc/imap-broker').broker.servers.length).toBeGreaterThan(0);
  });
});
