import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { projectRoot } from './built.js';
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

it('a global install puts the man page where `man` looks for it', () => {
  const { name, version, bin, man, files } = JSON.parse(readFileSync(join(projectRoot, 'package.json'), 'utf8'));
  expect(files).toContain('man');
  const folder = mkdtempSync(join(tmpdir(), 'imap-broker-man-'));
  try {
    // Without what it depends on, so that no network is needed.
    const shipped = join(folder, 'shipped');
    cpSync(join(projectRoot, 'man'), join(shipped, 'man'), { recursive: true });
    writeFileSync(join(shipped, 'package.json'), JSON.stringify({ name, version, bin, man }));
    const options = ['--offline', '--no-audit', '--no-fund', '--prefix', join(folder, 'prefix')];
    execFileSync('npm', ['install', '--global', ...options, shipped], { stdio: 'pipe' });
    const page = readFileSync(join(folder, 'prefix/share/man/man1/imap-broker.1'), 'utf8');
    expect(page).toBe(readFileSync(join(projectRoot, 'man/imap-broker.1'), 'utf8'));
  } finally {
    rmSync(folder, { recursive: true });
  }
});
