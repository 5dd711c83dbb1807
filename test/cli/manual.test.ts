import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { renderManual } from './manual.js';

const file = fileURLToPath(new URL('../../man/imap-broker.1', import.meta.url));

it('man/imap-broker.1 describes just the commands that there are; `npm run docs` writes it anew', () => {
  const wanted = renderManual();
  if (process.env.UPDATE_DOCS === '1') writeFileSync(file, wanted);
  else expect(readFileSync(file, 'utf8')).toBe(wanted);
});

it('man/imap-broker.1 is formatted without a warning, with the sections that are looked for', () => {
  const { status, stdout, stderr } = spawnSync('groff', ['-man', '-ww', '-Tascii', '-P-cbou', file], {
    encoding: 'utf8',
  });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  const sections = [
    'NAME',
    'SYNOPSIS',
    'DESCRIPTION',
    'COMMANDS',
    'ENVIRONMENT',
    'FILES',
    'EXIT STATUS',
    'EXAMPLES',
    'SEE ALSO',
  ];
  expect(stdout.split('\n').filter((line) => /^[A-Z][A-Z ]*$/.test(line))).toEqual(sections);
  expect(stdout).not.toContain('\\');
});

it('the package ships the man page where npm looks for it', () => {
  const { man, files } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
  expect(man).toBe('man/imap-broker.1');
  expect(files).toContain('man');
});
