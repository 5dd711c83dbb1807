#!/usr/bin/env node
// What `npm run bench` runs, also as the first command in a fresh clone: so nothing but Node's own modules here.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { installModules, installPackages, run, say, unpackServer } from '../support/install.mjs';

process.chdir(fileURLToPath(new URL('../..', import.meta.url)));
installModules();
installPackages([
  ['dovecot-imapd', () => existsSync('/usr/sbin/dovecot')],
  ['openssl', () => spawnSync('openssl', ['version'], { stdio: 'ignore' }).status === 0],
]);
// One of the ways that are compared; where it cannot be had the others are.
installPackages([['imapproxy', () => existsSync('/usr/sbin/imapproxyd')]], { optional: true });
// For the scenario `php`, which is left out without it.
installPackages([['php-cli', () => spawnSync('php', ['-v'], { stdio: 'ignore' }).status === 0]], { optional: true });
// Only for the scenario `cluster`, which is left out where it cannot be had, unless it is what was asked for.
const [, only] = /--only[= ](\S+)/.exec(process.argv.join(' ')) ?? [];
if (only === undefined || only === 'cluster') {
  unpackServer('haproxy', { purpose: 'the bench', optional: only === undefined });
}
say('Building');
run('npx', ['--no-install', 'tsc', '-p', 'tsconfig.bench.json']);
say('Measuring');
const program = [process.execPath, 'dist/test/bench/main.js', ...process.argv.slice(2)];
// Client, broker and server share two cores, on whatever machine; so the numbers can be compared.
const many = cpus().length > 2 && existsSync('/usr/bin/taskset');
const [command, ...args] = many ? ['/usr/bin/taskset', '-c', '0,1', ...program] : program;
const bench = spawn(command, args, { stdio: 'inherit' });
// Ctrl-C reaches the bench by itself, which ends what it started; a SIGTERM must be handed on.
process.on('SIGINT', () => {});
process.on('SIGTERM', () => bench.kill('SIGTERM'));
bench.once('exit', (code) => process.exit(code ?? 1));
