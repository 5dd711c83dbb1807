import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const page = new URL('../../docs/security.md', import.meta.url);
const text = readFileSync(page, 'utf8').replace(/\s+/g, ' ');
/** Every link to a test, with the titles that stand behind it up to the next link or the end of the claim. */
const claims = [...text.matchAll(/\]\((\.\.\/test\/[^)]+)\)([^()[\]]*)/g)].map(([, file = '', after = '']) => ({
  file,
  titles: [...after.matchAll(/"([^"]+)"/g)].map(([, title = '']) => title),
}));

describe('docs/security.md', () => {
  it('names tests', () => {
    expect(claims.length).toBeGreaterThan(10);
  });

  it.each(claims)('names tests of $file that are there', ({ file, titles }) => {
    const source = readFileSync(new URL(file, page), 'utf8');
    for (const title of titles) expect(source).toContain(title);
  });
});
