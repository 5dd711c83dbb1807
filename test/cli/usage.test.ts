import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import type { Command } from 'commander';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { commands } from '../../src/cli/main.js';
import { builtProgram } from './built.js';
import { runMain } from './run-main.js';

/** The names of all commands that ask a running broker as operators. */
function leaves(command: Command, path: string[] = []): string[] {
  const below = command.commands.flatMap((one) => leaves(one, [...path, one.name()]));
  return command.options.some(({ long }) => long === '--token-file') ? [path.join(' '), ...below] : below;
}

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'imap-broker-cli-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('imap-broker', () => {
  it('prints the version of its package', async () => {
    const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
    expect(await runMain('--version')).toEqual({ code: 0, out: `${version}\n`, err: '' });
  });

  it('prints help with examples and exit codes', async () => {
    const { code, out } = await runMain('--help');
    expect(code).toBe(0);
    expect(out).toContain('imap-broker serve --server imap.example.com');
    expect(out).toContain('Exit codes: 0 success, 1 failure, 2 wrong usage or configuration.');
  });

  const asking = leaves(commands({ out: () => {}, outBytes: async () => {}, err: () => {} }, () => {}));
  it.each(asking)('%s --help says where the broker is looked for, and the exit codes', async (name) => {
    const { code, out } = await runMain(...name.split(' '), '--help');
    expect(code).toBe(0);
    const words = out.replace(/\s+/g, ' ');
    expect(words).toContain('address of the broker: unix:, ws: or wss: (default: "unix:/run/imap-broker/admin.sock",');
    expect(words).toContain('file with the bearer token; the admin socket needs none (env: IMAP_BROKER_TOKEN_FILE)');
    expect(words).toContain('Exit codes: 0 success, 1 failure, 2 wrong usage or configuration.');
  });

  it.each([
    [[], /Usage: imap-broker/],
    [['sevre'], /unknown command 'sevre'\n\(Did you mean serve\?\)/],
    [['serve', '--sever', 'x'], /unknown option '--sever'/],
    [['serve'], /^imap-broker: serve needs --server HOST for a first try, or --config FILE\.\n$/],
    [['serve', '--server', 'a b'], /^imap-broker: --server: a b is not of the form HOST or HOST:PORT\.\n$/],
    [['serve', '--server', 'a:99999'], /--server: a:99999 is not of the form/],
    [
      ['serve', '--server', 'imaps://anna:hunter2@mail.example.com:993/'],
      /^imap-broker: --server: a URL is not of the form HOST or HOST:PORT: write mail\.example\.com:993\.\n$/,
    ],
    [['serve', '--server', 'imap://[::1]'], /write ::1, and --starttls where the port takes it\.\n$/],
    [['serve', '--server', 'a', '--server', 'a'], /^imap-broker: --server: "a" is there twice\n$/],
    [['serve', '--server', 'a', '--listen', '7143'], /--listen: 7143 has no port/],
    [['serve', '--server', 'a', '--listen', '0.0.0.0:1'], /--listen: 0\.0\.0\.0 is not a loopback address/],
    [['serve', '--server', 'a', '--listen', 'unix:'], /--listen: unix: needs a path/],
    [['serve', '--server', 'a', '--starttls', '--insecure-no-tls'], /exclude each other/],
    [['serve', '--server', 'a', '--token', 'with blank'], /^imap-broker: --token: only letters, digits/],
    [
      ['serve', '--server', 'a', '--ca', '/nowhere/ca.pem'],
      /^imap-broker: --ca: cannot read \/nowhere\/ca\.pem: there is no/,
    ],
    [['serve', '--server', 'a', '--config', 'f'], /option '--config <file>' cannot be used with option '--server/],
    [['serve', '--token', 'a', '--config', 'f'], /option '--config <file>' cannot be used with option '--token/],
    [['serve', '--server', 'a', '--log-level', 'loud'], /Allowed choices are trace, debug, info/],
    [['serve', '--config', '/nowhere.toml'], /^imap-broker: cannot read \/nowhere\.toml: there is no such file\n$/],
    [['completion', 'ksh'], /Allowed choices are bash, zsh, fish\./],
    [['check-config'], /missing required argument 'file'/],
  ])('%j is wrong usage, told in one sentence', async (args, message) => {
    const { code, out, err } = await runMain(...args);
    expect(err).toMatch(message);
    expect(out).toBe('');
    expect(code).toBe(2);
  });
});

it('a command that asks a running broker loads none itself', () => {
  const found = new Set<string>();
  const walk = (file: string) => {
    if (found.has(file)) return;
    found.add(file);
    for (const [, target = ''] of readFileSync(file, 'utf8').matchAll(/^(?:import|export)\s[^;]*?'([^']+)'/gm)) {
      if (target.startsWith('.')) walk(resolve(dirname(file), target));
      else found.add(target);
    }
  };
  walk(builtProgram());
  // As they are built, without types.
  expect([...found].filter((it) => /imapflow|generic-pool|pino|prom-client|jose|src\/broker\.js$/.test(it))).toEqual(
    [],
  );
  expect([...found]).toContain('commander');
});

it('what cannot be written is a failure', () => {
  const { status, stderr } = spawnSync('sh', ['-c', `'${process.execPath}' '${builtProgram()}' --help > /dev/full`]);
  expect([status, `${stderr}`]).toEqual([1, expect.stringMatching(/^imap-broker: cannot write: ENOSPC/)]);
}, 30_000);

describe('imap-broker check-config', () => {
  const write = (name: string, text: string) => {
    const path = join(folder, name);
    writeFileSync(path, text);
    return path;
  };
  const good = `[[listener]]
unix = "b.sock"
[[server]]
name = "main"
host = "imap.example.com"
[[tenant]]
name = "webmail"
token_hashes = ["${'0'.repeat(64)}"]
`;

  it('says OK', async () => {
    const path = write('good.toml', good);
    const out = `${path}: OK: 1 listener(s), 1 server(s), 1 tenant(s)\n`;
    expect(await runMain('check-config', path)).toEqual({ code: 0, out, err: '' });
  });

  it('says what one of several brokers may take, and what the IMAP servers must allow', async () => {
    const cluster = '[pool]\nconnections_per_server = 500\nconnections_per_account = 4\n[cluster]\nbrokers = 3\n';
    const path = write('cluster.toml', `${good}${cluster}`);
    const out = [
      `${path}: OK: 1 listener(s), 1 server(s), 1 tenant(s)`,
      'one of 3 brokers: 166 connections to a server, 16.67 logins a second to main',
      'a user may be on two brokers for a moment: each server must allow a user 8 connections',
      '',
    ];
    expect(await runMain('check-config', path)).toEqual({ code: 0, out: out.join('\n'), err: '' });
    const few = write('few.toml', `${good}[pool]\nconnections_per_server = 2\n[cluster]\nbrokers = 3\n`);
    const err = `${few}: line 10: pool.connections_per_server: 2 cannot be divided by 3 brokers\n`;
    expect(await runMain('check-config', few)).toEqual({ code: 1, out: '', err });
  });

  it('says that a key file of one’s own is not there, and makes none', async () => {
    const path = write('keys.toml', `${good}[session]\nkey_file = "own.keys"\n`);
    const { code, out, err } = await runMain('check-config', path);
    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(err).toMatch(/^\S+: line 10: session\.key_file: cannot read the key file \S+own\.keys: ENOENT.*\n$/);
    expect((await runMain('check-config', write('state.toml', `${good}[session]\nstate_dir = "."\n`))).code).toBe(0);
    expect(existsSync(join(folder, 'own.keys'))).toBe(false);
    expect(existsSync(join(folder, 'session.keys'))).toBe(false);
  });

  it('says all that is wrong, with line and key, and ends with 1', async () => {
    const path = write('bad.toml', good.replace('host', 'hots').replace('unix', 'unx'));
    const { code, out, err } = await runMain('check-config', path);
    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(err.split('\n')).toEqual(
      expect.arrayContaining([
        `${path}: line 2: listener[0].unx: unknown key; did you mean unix?`,
        `${path}: line 5: server[0].hots: unknown key; did you mean host?`,
      ]),
    );
  });
});
