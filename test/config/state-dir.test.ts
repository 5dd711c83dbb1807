import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeStateDir } from '../../src/config/files.js';
import { runMain } from '../cli/run-main.js';
import { SMALL_CONFIG } from '../cli/small-config.js';

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'imap-broker-state-'));
  file = join(folder, 'config.toml');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('the state folder', () => {
  it('is made for its owner alone where it is not there', () => {
    const path = join(folder, 'state');
    expect(makeStateDir(path)).toBeUndefined();
    expect(statSync(path).mode & 0o777).toBe(0o700);
    expect(makeStateDir(path)).toBeUndefined();
  });

  it.each([
    ['whose parent is not there', 'a/b', (at: string) => `cannot make ${at}: there is no folder ${join(at, '..')}`],
    ['that is a file', 'config.toml', (at: string) => `${at} is a file, not a folder`],
    ['in a file', 'config.toml/b', (at: string) => `cannot make ${at}: there is no folder ${join(at, '..')}`],
  ])('%s: serve and check-config say so, with the line', async (_what, name, problem) => {
    const text = `${SMALL_CONFIG}[session]\nstate_dir = "${name}"\n`;
    writeFileSync(file, text);
    const line = text.split('\n').length - 1;
    const told = `${file}: line ${line}: session.state_dir: ${problem(join(folder, name))}\n`;
    expect(await runMain('check-config', file)).toEqual({ code: 1, out: '', err: told });
    expect(await runMain('serve', '--config', file, '--log-level', 'silent')).toEqual({
      code: 2,
      out: '',
      err: `imap-broker: ${told}`,
    });
  });

  it('with keys that are none: serve says the line of the key that names them', async () => {
    const text = `${SMALL_CONFIG}[session]\nstate_dir = "."\n`;
    writeFileSync(file, text);
    writeFileSync(join(folder, 'session.keys'), 'no key\n', { mode: 0o600 });
    const { code, err } = await runMain('serve', '--config', file, '--log-level', 'silent');
    const keys = join(folder, 'session.keys');
    expect(code).toBe(2);
    expect(err).toBe(
      `imap-broker: ${file}: line ${text.split('\n').length - 1}: session.state_dir: the key file ${keys} has a line that is no key\n`,
    );
  });
});

describe('a socket that cannot be listened on', () => {
  it('is told with the file', async () => {
    const text = SMALL_CONFIG.replace('unix = "broker.sock"', `unix = "none/broker.sock"`);
    writeFileSync(file, text);
    const { code, err } = await runMain('serve', '--config', file, '--log-level', 'silent');
    expect(code).toBe(1);
    expect(err).toMatch(/^imap-broker: \S+config\.toml: cannot listen: listen \w+: .*none\/broker\.sock\n$/);
  });
});
