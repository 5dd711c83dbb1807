import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { untilGreets } from './ports.js';
import type { Watchdog } from './watchdog.js';

/** Where `npm test` unpacks Debian's packages: see `unpackServer` in install.mjs. */
const UNPACKED = fileURLToPath(new URL('../../node_modules/.cache/imap-broker-servers/', import.meta.url));

/**
 * Mounts and processes of its own: what happens there no other process of the machine sees, and all of its processes end
 * with the first. It takes root: both servers change to other users.
 */
const UNSHARE = ['--mount', '--pid', '--fork', '--kill-child', '--mount-proc'];

/** The user that a server changes to, one that each Debian has; the mail is that user's. */
export const namespacedOwner = { name: 'mail', uid: 8, gid: 8 };

// $1: the unpacked packages; $2: files that go before theirs in /etc; $3: what to run when all is in place.
const SCRIPT = `
set -e
mount -t overlay -o "lowerdir=$1/usr:/usr" overlay /usr
mount -t overlay -o "lowerdir=$2:$1/etc:/etc" overlay /etc
mount -t tmpfs tmpfs /run
eval "$3"
`;

export interface NamespacedOptions {
  /** Debian's package, which `npm test` has unpacked. */
  pack: string;
  /** Files that go before those of the packages in /etc. */
  etc: string;
  /** Shell commands; the last one replaces the shell by the server. */
  run: string;
  port: number;
}

/**
 * Starts a server that is unpacked but not installed, in a namespace of its own where its files are in place. Resolves
 * when it greets on its port, with the process whose group is the server's.
 * @throws Error that says what is missing, or with what the server complained about
 */
export async function startNamespaced(
  { pack, etc, run, port }: NamespacedOptions,
  guard: Watchdog,
): Promise<ChildProcess> {
  const root = findPack(pack);
  const child = spawn('unshare', [...UNSHARE, 'sh', '-c', SCRIPT, 'sh', root, etc, run], {
    stdio: ['ignore', 'ignore', 'pipe'],
    detached: true,
  });
  let complaint = '';
  child.stderr?.on('data', (chunk) => {
    complaint = `${complaint}${chunk}`.slice(-10_000);
  });
  await once(child, 'spawn');
  guard.guard(child.pid ?? 0);
  const alive = () => child.exitCode === null && child.signalCode === null;
  try {
    await untilGreets(port, 15_000, alive);
  } catch (cause) {
    throw new Error(`${pack} did not start: ${complaint}`, { cause });
  }
  return child;
}

/** The folder of an unpacked package. */
function findPack(pack: string): string {
  const root = `${UNPACKED}${pack}`;
  if (!existsSync(root)) throw new Error(`${pack} is not unpacked for the tests: run npm test, which does it`);
  const { status, stderr, error } = spawnSync('unshare', [...UNSHARE, 'true'], { encoding: 'utf8' });
  if (status === 0) return root;
  throw new Error(`${pack} needs root, for a namespace of its own: ${error?.message ?? stderr.trim()}`);
}
