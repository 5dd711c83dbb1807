import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Command } from 'commander';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { shells } from '../../src/cli/completion.js';
import { commands } from '../../src/cli/main.js';
import { runMain } from './run-main.js';

let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'imap-broker-completion-'));
  for (const shell of shells) {
    const { code, out, err } = await runMain('completion', shell);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    writeFileSync(join(folder, shell), out);
  }
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** All that bash offers for a line whose last word, which may be empty, is under the cursor. */
function offered(...words: string[]): string[] {
  const line = ['imap-broker', ...words];
  const script = `. ./bash; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _imap_broker; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { status, stdout, stderr } = spawnSync('bash', ['--norc', '-c', script, 'bash', ...line], {
    cwd: folder,
    encoding: 'utf8',
  });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  return stdout.split('\n').filter((one) => one !== '');
}

/** Every command with the names that lead to it. */
function everyCommand(command: Command, path: string[] = []): Array<{ command: Command; path: string[] }> {
  const below = command.commands.flatMap((one) => everyCommand(one, [...path, one.name()]));
  return [{ command, path }, ...below];
}

const tree = everyCommand(commands({ out: () => {}, outBytes: async () => {}, err: () => {} }, () => {}));

describe('completion in bash', () => {
  it('is used for the program once the script has been read', () => {
    const { stdout } = spawnSync('bash', ['--norc', '-c', '. ./bash; complete -p imap-broker'], { cwd: folder });
    expect(String(stdout)).toBe('complete -F _imap_broker imap-broker\n');
  });

  it.each(tree)('offers the options and commands of $path, and no others', ({ command, path }) => {
    const flags = command.options.map((option) => option.long);
    expect(offered(...path, '--').sort()).toEqual([...flags, '--help'].sort());
    if (command.commands.length === 0) return;
    expect(offered(...path, '').sort()).toEqual([...command.commands.map((one) => one.name()), 'help'].sort());
  });

  it.each<[string[], string[]]>([
    [['chec'], ['check-config']],
    [['ki'], ['kick']],
    [
      ['kick', 's'],
      ['socket', 'session'],
    ],
    [['help', 'ki'], ['kick']],
    [
      ['kick', 'help', ''],
      ['account', 'socket', 'session'],
    ],
    [['log-level', 'd'], ['debug']],
    [['log-level', '--for', '60', 'w'], ['warn']],
    [['serve', '--log-level', 'tr'], ['trace']],
    [['serve', '--log-level', '=', 'tr'], ['trace']],
    [
      ['serve', '--log-level', '='],
      ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'],
    ],
    [
      ['completion', ''],
      ['bash', 'zsh', 'fish'],
    ],
    [['check-config', 'fi'], ['fish']],
    [['keys', 'rotate', '--config', 'zs'], ['zsh']],
    [['status', '--url', ''], []],
    [['accounts', '--user', 'serve', '--j'], ['--json']],
  ])('offers for %j %j', (line, wanted) => {
    expect(offered(...line)).toEqual(wanted);
  });
});

describe.each(['zsh', 'fish'] as const)('completion in %s', (shell) => {
  it('has every command with what it does', () => {
    const text = readFileSync(join(folder, shell), 'utf8');
    for (const { command, path } of tree.filter((one) => one.path.length > 0)) {
      const name = path.at(-1);
      const about = command.description();
      const wanted = {
        zsh: `${name}\\:"${about.replaceAll("'", "'\\''")}"`,
        fish: `complete -c imap-broker -n '__imap_broker_at ${path.slice(0, -1).join(' ')}' -a ${name} -d '${about.replaceAll("'", "\\'")}'`,
      };
      expect(text).toContain(wanted[shell]);
    }
  });

  it('has every option of every command, with what it takes', () => {
    const lines = readFileSync(join(folder, shell), 'utf8').split('\n');
    const options = tree.flatMap(({ command, path }) => command.options.map((option) => ({ option, path })));
    expect(options.length).toBeGreaterThan(50);
    for (const { option, path } of options) {
      const choices = option.argChoices?.join(' ') ?? '';
      const at = lines.filter((line) =>
        line.includes(`'${shell === 'zsh' ? '' : '__imap_broker_at '}${path.join(' ')}'`),
      );
      const takesValue = option.required || option.optional;
      const isFile = option.flags.includes('<file>');
      const value = {
        zsh: `:value:${isFile ? '_files' : `(${choices})`}'`,
        fish: isFile ? '-r -F' : `-x -a '${choices}'`,
      }[shell];
      const flag = { zsh: `${option.long}${takesValue ? '=' : ''}[`, fish: `-l ${option.long?.slice(2)} ` }[shell];
      const found = at.filter((line) => line.includes(flag));
      expect(found.length, `${path.join(' ')} ${option.long}`).toBe(1);
      if (takesValue) expect(found[0]).toContain(value);
    }
  });

  it('is read by the shell without complaint where that is installed, and balances its quotes everywhere', () => {
    const { error, status, stderr } = spawnSync(shell, ['-n', join(folder, shell)], { encoding: 'utf8' });
    if (error === undefined) expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    // Neither has a quote over the end of a line.
    for (const line of readFileSync(join(folder, shell), 'utf8')
      .split('\n')
      .filter((one) => !one.startsWith('#'))) {
      expect(line.replace(/\\./g, '').split("'").length % 2, line).toBe(1);
    }
  });
});
