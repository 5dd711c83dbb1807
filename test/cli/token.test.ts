import {
  chmodSync,
  chownSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/config/load.js';
import { hashToken, tenantOf } from '../../src/session/tenants.js';
import { runMain } from './run-main.js';

const HEAD = `# Ours; keep it tidy.
[[listener]]
unix = "broker.sock" # of the web servers

[[server]]
name = "main"
host = "imap.example.com"
`;
const OTHER = `
[[tenant]]
name = "crm"
token_hashes = ["${'b'.repeat(64)}"]
`;

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'imap-broker-token-'));
  file = join(folder, 'config.toml');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const create = (name = 'webmail', path = file) => runMain('token', 'create', name, '--append-to', path);

describe('imap-broker token create', () => {
  it('prints a token, and the line with its hash for the configuration', async () => {
    const { code, out, err } = await runMain('token', 'create', 'webmail');
    expect(code).toBe(0);
    expect(out).toMatch(/^ibt_[\w-]{43}\n$/);
    expect(err).toContain(`  token_hashes = ["${hashToken(out.trim())}"]\n`);
  });
});

describe('imap-broker token create --append-to', () => {
  it('adds the tenant at the end of the file, prints the token once, and the broker takes the token', async () => {
    writeFileSync(file, HEAD + OTHER);
    const { code, out, err } = await create();
    const token = out.trim();
    expect(code).toBe(0);
    expect(err).not.toContain(token);
    expect(err).toContain(`${file} has a [[tenant]] webmail with its hash now.`);
    const added = `\n[[tenant]]\nname = "webmail"\ntoken_hashes = ["${hashToken(token)}"]\n`;
    expect(readFileSync(file, 'utf8')).toBe(HEAD + OTHER + added);
    expect(tenantOf(loadConfig(file).broker.tenants, token)?.name).toBe('webmail');
  });

  it('makes the first tenant of a file that lacks nothing else, without a line end as well', async () => {
    writeFileSync(file, HEAD.trimEnd());
    expect((await create()).code).toBe(0);
    expect((await create('a"b\\c')).code).toBe(0);
    expect(loadConfig(file).broker.tenants.map(({ name }) => name)).toEqual(['webmail', 'a"b\\c']);
    expect(readFileSync(file, 'utf8')).toContain(`${HEAD}\n[[tenant]]\n`);
  });

  it('writes lines that end as those before', async () => {
    writeFileSync(file, `\ufeff${HEAD.replaceAll('\n', '\r\n')}`);
    expect((await create()).code).toBe(0);
    expect(readFileSync(file, 'utf8')).toMatch(/^\ufeff[^\n]*(?:\r\n[^\r\n]*)*$/);
    expect(loadConfig(file).broker.tenants).toHaveLength(1);
  });

  it.each([0o600, 0o640, 0o644])('keeps the permissions of the file, owner and group: %o', async (mode) => {
    writeFileSync(file, HEAD);
    if (process.getuid?.() === 0) chownSync(file, 65_534, 65_534);
    chmodSync(file, mode);
    const before = statSync(file);
    expect((await create()).code).toBe(0);
    const { mode: after, uid, gid } = statSync(file);
    expect([after, uid, gid]).toEqual([before.mode, before.uid, before.gid]);
    expect(readdirSync(folder)).toEqual(['config.toml']);
  });

  it('replaces the file that a symbolic link leads to, and leaves the link', async () => {
    mkdirSync(join(folder, 'real'));
    writeFileSync(join(folder, 'real/config.toml'), HEAD);
    symlinkSync('real/config.toml', file);
    expect((await create()).code).toBe(0);
    expect([lstatSync(file).isSymbolicLink(), readlinkSync(file)]).toEqual([true, 'real/config.toml']);
    expect(readdirSync(join(folder, 'real'))).toEqual(['config.toml']);
    expect(loadConfig(file).broker.tenants).toHaveLength(1);
  });

  it('reads no file that the configuration names: the broker alone may be able to', async () => {
    writeFileSync(file, `${HEAD}${OTHER.replace(/token_hashes .*/, 'token_hashes_file = "credential:tokens"')}`);
    expect((await create()).code).toBe(0);
  });

  it.each([
    [
      'a name that is there',
      HEAD + OTHER,
      'crm',
      'line 10: tenant[0].name: "crm" exists already; its token_hashes can hold a second hash',
    ],
    [
      'a name that is none',
      HEAD,
      'web mail',
      '"web mail" is no name of a tenant: a name is printable ASCII without blanks',
    ],
    ['a file that is no TOML', `${HEAD}[pool`, 'webmail', 'line 8: brackets are missing or wrong: write [pool]'],
    ['a file that lacks more', '', 'webmail', 'listener: is missing: at least one [[listener]] is needed'],
    [
      'a file with an inline list of tenants',
      `tenant = []\n${HEAD}`,
      'webmail',
      'line 10: tenant: can be given several times, so each needs double brackets: [[tenant]]',
    ],
  ])('refuses %s, prints no token and changes nothing', async (_what, text, name, problem) => {
    writeFileSync(file, text);
    const { code, out, err } = await create(name);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toContain(`imap-broker: ${file}: ${problem}\n`);
    expect(readFileSync(file, 'utf8')).toBe(text);
    expect(readdirSync(folder)).toEqual(['config.toml']);
  });

  it('refuses a file that is not there, and a folder', async () => {
    expect(await create()).toEqual({
      code: 2,
      out: '',
      err: `imap-broker: cannot read ${file}: there is no such file\n`,
    });
    expect((await create('webmail', folder)).err).toBe(`imap-broker: cannot read ${folder}: it is a folder\n`);
    expect(readdirSync(folder)).toEqual([]);
  });
});
