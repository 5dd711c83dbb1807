#!/usr/bin/env node
// What `npm test` runs, also as the first command in a fresh clone: so nothing but Node's own modules here.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  installModules,
  installPackages,
  needNamespaces,
  run,
  say,
  unpackNode,
  unpackServer,
} from './support/install.mjs';

/** Beside the version that runs all tests. */
const OTHER_NODES = ['22', '24'];

process.chdir(fileURLToPath(new URL('..', import.meta.url)));
const wanted = process.argv.slice(2);

installModules();
// The servers and tools that the tests use beside Node.
installPackages([
  ['dovecot-imapd', () => existsSync('/usr/sbin/dovecot')],
  ['python3-websockets', () => works('/usr/bin/python3', ['-c', 'import websockets'])],
  ['openssl', () => works('openssl', ['version'])],
  ['tmux', () => works('tmux', ['-V'])],
  ['groff-base', () => works('groff', ['-v'])],
  ['procps', () => works('ps', ['-V'])],
  ['curl', () => works('curl', ['--version'])],
  ['systemd', () => works('systemd-analyze', ['--version'])],
  ['chromium', () => existsSync('/usr/bin/chromium')],
]);
// Servers that must not be installed: they would start, or replace the machine's own. The tests run them from a folder.
if (wanted.length === 0) needNamespaces();
for (const server of ['cyrus-imapd', 'courier-imap', 'haproxy', 'redis-server', 'nginx', 'prometheus'])
  unpackServer(server);
say('Building');
run('npm', ['run', '--silent', 'build']);
if (wanted.length === 0) {
  say('Checking types, format and lint');
  run('npm', ['run', '--silent', 'check']);
}
if (wanted.length === 0) for (const major of OTHER_NODES) runUnits(major);
say('Running the tests');
process.exit(runTests(wanted));

function works(command, args) {
  return spawnSync(command, args, { stdio: 'ignore' }).status === 0;
}

/** Runs the tests that need nothing but Node on another version of Node. */
function runUnits(major) {
  const node = unpackNode(major);
  say(`Running the tests that need nothing but Node, on Node ${major}`);
  run(node, ['node_modules/vitest/vitest.mjs', 'run', '--project', 'unit', '--reporter=dot']);
}

/** Runs vitest and closes with one plain line of counts. */
function runTests(args) {
  const folder = mkdtempSync(join(tmpdir(), 'imap-broker-report-'));
  const report = join(folder, 'report.json');
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
  // With CI set vitest colours its output even where it goes to a file.
  const env = process.stdout.isTTY ? process.env : { ...process.env, NO_COLOR: '1', FORCE_COLOR: undefined };
  const { status } = spawnSync('npx', ['--no-install', 'vitest', 'run', ...reporters, ...args], {
    stdio: ['ignore', 'inherit', 'inherit'],
    env,
  });
  if (existsSync(report)) {
    const { numPassedTests, numFailedTests, testResults } = JSON.parse(readFileSync(report, 'utf8'));
    // A file that could not even be loaded has no tests that could have failed.
    const broken = testResults.filter((file) => file.status === 'failed' && file.assertionResults.length === 0);
    for (const { status: outcome, fullName } of testResults.flatMap((file) => file.assertionResults)) {
      if (outcome !== 'passed' && outcome !== 'failed') console.log(`not run: ${fullName}`);
    }
    console.log(`${numPassedTests} passed, ${numFailedTests + broken.length} failed`);
  }
  rmSync(folder, { recursive: true, force: true });
  return status ?? 1;
}
