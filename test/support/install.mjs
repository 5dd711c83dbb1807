// Shared by `npm test`, `npm run demo` and `npm run bench`, which work as the first command in a fresh clone.
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

/**
 * Installs Debian packages that are not there; elsewhere, or without being root, it says which and ends this program.
 * @param {[name: string, present: () => boolean][]} needed
 * @param {{ optional?: boolean }} options With `optional` it goes on without them.
 */
export function installPackages(needed, { optional = false } = {}) {
  const missing = needed.filter(([, present]) => !present()).map(([name]) => name);
  if (missing.length === 0) return;
  if (!existsSync('/etc/debian_version') || process.getuid?.() !== 0) {
    if (optional) return;
    console.error(`Missing: ${missing.join(', ')}. On Debian run apt-get install ${missing.join(' ')} as root.`);
    process.exit(1);
  }
  say(`Installing ${missing.join(', ')}`);
  const options = {
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    stdio: ['ignore', 'ignore', 'inherit'],
  };
  const execute = optional ? spawnSync : run;
  execute('apt-get', ['update', '-qq'], options);
  execute('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...missing], options);
}
