import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { renderReference } from './reference.js';

const file = new URL('../../docs/protocol.md', import.meta.url);
const begin = '<!-- From here on written by `npm run docs`. -->\n';

describe('docs/protocol.md', () => {
  it('describes just what the contract has; `npm run docs` writes it anew', () => {
    const document = readFileSync(file, 'utf8');
    const [prose = '', reference] = document.split(begin);
    const wanted = `\n${renderReference()}`;
    if (process.env.UPDATE_DOCS === '1') writeFileSync(file, prose + begin + wanted);
    else expect(reference).toBe(wanted);
  });
});
