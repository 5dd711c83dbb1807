// Shared by `npm test` and `npm run demo`, which both work as the first command in a fresh clone.
import { spawnSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';

/** Announces a step. */
export function say(step) {
  console.log(`\n== ${step}`);
}

/** Runs a command, and ends this program with its status if it fails. */
export function run(command, args, options = {}) {
  const { status, error } = spawnSync(command, args, { stdio: ['ignore', 'inherit', 'inherit'], ...options });
  if (error) console.error(`${command} could not be run: ${error.message}`);
  if (status !== 0) process.exit(status ?? 1);
}

/** Installs the npm dependencies unless they are there and as new as the lock file. */
export function installModules() {
  const marker = 'node_modules/.package-lock.json';
  if (existsSync(marker) && statSync(marker).mtimeMs >= statSync('package-lock.json').mtimeMs) return;
  say('Installing npm dependencies');
  run('npm', ['ci', '--no-audit', '--no-fund']);
}
