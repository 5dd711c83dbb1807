import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { wireLimits } from '../../../src/imap/wire/limits.js';

it('docs/security.md has every limit of the wire with its value', () => {
  const page = readFileSync(new URL('../../../docs/security.md', import.meta.url), 'utf8');
  const told = Object.fromEntries(
    [...page.matchAll(/^\| `([\w.]+)`: [^|]*\| (\d+) \|/gm)].map(([, name = '', value]) => [name, Number(value)]),
  );
  const { login, ...others } = wireLimits;
  const expected = {
    ...others,
    ...Object.fromEntries(Object.entries(login).map(([name, value]) => [`login.${name}`, value])),
  };
  expect(told).toEqual(expected);
});
