// Shared by `npm test`, `npm run demo` and `npm run bench`, which work as the first command in a fresh clone.
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';

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

/** Where {@link unpackServer} puts a server, below the project's folder. `support/namespaced.ts` looks for it there. */
const SERVERS = 'node_modules/.cache/imap-broker-servers';

/**
 * What a server's packages need for mail to be sent, and what only their install scripts need: unpacked it would do nothing.
 */
const UNUSED = /^(?:exim4-|libjs-|fonts-|gnutls-bin$|libgnutls|gawk$|libsigsegv2$|db-util$)/;

/**
 * Unpacks a Debian package, and the packages that it needs and this machine does not have, into a folder: no file outside
 * that folder changes, no install script runs and no service starts. Where that is not possible it says why and ends this
 * program.
 * @param {string} name
 * @param {{ purpose?: string, optional?: boolean }} options `purpose`: what needs it. With `optional` it goes on without it.
 */
export function unpackServer(name, { purpose = 'the tests', optional = false } = {}) {
  const folder = join(SERVERS, name);
  if (existsSync(folder)) return;
  say(`Unpacking ${name} for ${purpose}, without installing it`);
  mkdirSync(SERVERS, { recursive: true });
  const fresh = mkdtempSync(join(SERVERS, 'new-'));
  const unpacked = download(name, fresh) && unpack(fresh, join(fresh, 'root'));
  if (unpacked) renameSync(join(fresh, 'root'), folder);
  rmSync(fresh, { recursive: true, force: true });
  if (unpacked || optional) return;
  console.error(
    `Missing: Debian's package ${name}, needed for ${purpose}, which apt-get could not download and unpack.`,
  );
  process.exit(1);
}

/** Where {@link unpackNode} puts versions of Node, below the project's folder. */
const NODES = 'node_modules/.cache/imap-broker-nodes';

/** Unpacks the newest Node of a major version from npm, which carries its program. @returns the path of the program */
export function unpackNode(major) {
  const folder = join(NODES, major);
  const program = join(folder, 'package/bin/node');
  if (existsSync(program)) return program;
  say(`Unpacking Node ${major} for the tests, without installing it`);
  mkdirSync(NODES, { recursive: true });
  const fresh = mkdtempSync(join(NODES, 'new-'));
  const name = `node-${process.platform}-${process.arch}@${major}`;
  const packed = spawnSync('npm', ['pack', '--silent', name], { cwd: fresh, encoding: 'utf8' });
  const unpacked = packed.status === 0 && spawnSync('tar', ['-xzf', packed.stdout.trim()], { cwd: fresh }).status === 0;
  if (unpacked) renameSync(fresh, folder);
  else rmSync(fresh, { recursive: true, force: true });
  if (existsSync(program)) return program;
  console.error(`Missing: Node ${major}. The tests need ${name}, which npm could not download.`);
  process.exit(1);
}

/** Says so and ends this program where a process may not have mounts and processes of its own. */
export function needNamespaces() {
  const { status, stderr, error } = spawnSync('unshare', ['--mount', '--pid', '--fork', 'true']);
  if (status === 0) return;
  const why = error?.message ?? String(stderr).trim();
  console.error(`The tests run Cyrus and Courier in namespaces of their own, which takes root: ${why}`);
  process.exit(1);
}

/** Downloads what an installation would; the lists of packages may have to be fetched first, which takes root. */
function download(name, folder) {
  const again = () => spawnSync('apt-get', ['update', '-qq'], { stdio: 'ignore' }).status === 0;
  return downloadNow(name, folder) || (again() && downloadNow(name, folder));
}

function downloadNow(name, folder) {
  const simulated = spawnSync('apt-get', ['-s', '--no-install-recommends', 'install', name], { encoding: 'utf8' });
  if (simulated.status !== 0) return false;
  // `Inst NAME [OLD] (NEW ...)`: with an old version the package is there.
  const needed = [...simulated.stdout.matchAll(/^Inst (\S+) \(/gm)].map(([, each]) => each);
  const args = ['-qq', '-o', 'APT::Sandbox::User=root', 'download', ...needed.filter((each) => !UNUSED.test(each))];
  return spawnSync('apt-get', args, { cwd: folder, stdio: 'ignore' }).status === 0;
}

function unpack(folder, root) {
  for (const part of ['usr', 'etc']) mkdirSync(join(root, part), { recursive: true });
  const files = readdirSync(folder).filter((file) => file.endsWith('.deb'));
  const done = files.every((file) => spawnSync('dpkg-deb', ['-x', join(folder, file), root]).status === 0);
  // Some packages still have /lib, which is a link to /usr/lib on the machine.
  const lib = join(root, 'lib');
  if (existsSync(lib)) cpSync(lib, join(root, 'usr/lib'), { recursive: true, verbatimSymlinks: true });
  return done;
}
