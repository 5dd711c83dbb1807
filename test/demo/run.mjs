#!/usr/bin/env node
// What `npm run demo` runs, also as the first command in a fresh clone: so nothing but Node's own modules here.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { installModules, run, say, unpackServer } from '../support/install.mjs';

process.chdir(fileURLToPath(new URL('../..', import.meta.url)));
const args = process.argv.slice(2);
const cluster = args.includes('--cluster');
installModules();
if (cluster) for (const server of ['haproxy', 'redis-server']) unpackServer(server, { purpose: 'the demo' });
say('Building');
run('npm', ['run', '--silent', 'build']);
const program = cluster ? 'test/demo/cluster/cluster.mjs' : 'test/demo/demo.mjs';
const demo = spawn(process.execPath, [program, ...args], { stdio: 'inherit' });
// Ctrl-C reaches the demo by itself, which ends and decides the exit code; a SIGTERM must be handed on.
process.on('SIGINT', () => {});
process.on('SIGTERM', () => demo.kill('SIGTERM'));
demo.once('exit', (code) => process.exit(code ?? 1));
