import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

/** Pages whose claims name the tests that hold them, and how many links to tests they have at least. */
const pages = [
  ['security.md', 30],
  ['protocol.md', 3],
] as const;

describe.each(pages)('docs/%s', (name, least) => {
  const page = new URL(`../../docs/${name}`, import.meta.url);
  const text = readFileSync(page, 'utf8').replace(/\s+/g, ' ');
  /** Every link to a test, with the titles that stand behind it up to the next link or the end of the claim. */
  const claims = [...text.matchAll(/\]\((\.\.\/test\/[^)]+)\)([^()[\]]*)/g)].map(([, file = '', after = '']) => ({
    file,
    titles: [...after.matchAll(/"([^"]+)"/g)].map(([, title = '']) => title),
  }));

  it('names tests', () => {
    expect(claims.length).toBeGreaterThanOrEqual(least);
  });

  it.each(claims)('names tests of $file that are there', ({ file, titles }) => {
    const source = readFileSync(new URL(file, page), 'utf8');
    for (const title of titles) expect(source).toContain(title);
  });
});
