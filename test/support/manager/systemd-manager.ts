import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, chmodSync, constants, existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync } from 'node:fs';
import { cp, mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { beforeAll, describe } from 'vitest';
import { Watchdog } from '../watchdog.js';

const run = promisify(execFile);
const project = fileURLToPath(new URL('../../..', import.meta.url));
const script = fileURLToPath(new URL('isolated.sh', import.meta.url));
const SYSTEMD = '/lib/systemd/systemd';
/** Those that units want; there is nothing in them. */
const TARGETS = ['sysinit', 'basic', 'sockets', 'shutdown', 'multi-user', 'network-online', 'network'];
const NAMESPACES = ['--pid', '--mount', '--cgroup', '--uts', '--ipc', '--fork', '--kill-child'];
const LOG = '/run/log/services';

/** Tests in a manager. Where none can be started (not root, no systemd, no control groups) they fail, with one sentence. */
export function describeManaged(title: string, tests: () => void): void {
  describe(title, () => {
    beforeAll(() => {
      const why = whyNoManager();
      if (why !== undefined)
        throw new Error(`These tests run a systemd of their own, which cannot be started here: ${why}.`);
    });
    tests();
  });
}

/** Why no manager can be started here; `undefined` where one can. */
function whyNoManager(): string | undefined {
  if (process.getuid?.() !== 0) return 'not root';
  if (!existsSync(SYSTEMD)) return 'no systemd';
  try {
    accessSync(controlGroup(), constants.W_OK);
  } catch {
    return 'no control groups of version 2';
  }
  const { status } = spawnSync('unshare', [...NAMESPACES, 'mount', '--make-rprivate', '/']);
  return status === 0 ? undefined : 'no namespaces';
}

/** The control group of this process, in the hierarchy of version 2. */
function controlGroup(): string {
  const [, mounted] = / (\S+) cgroup2 /.exec(readFileSync('/proc/self/mounts', 'utf8')) ?? [];
  const [, own] = /^0::(.*)$/m.exec(readFileSync('/proc/self/cgroup', 'utf8')) ?? [];
  if (mounted === undefined || own === undefined) throw new Error('There are no control groups of version 2.');
  return join(mounted, own);
}

/**
 * A systemd manager with the units that are shipped, in namespaces and a root of its own: see isolated.sh. It shares the
 * machine's network, and `config` as its /etc/imap-broker.
 */
export class SystemdManager {
  readonly config: string;
  readonly #group: string;
  readonly #child: ChildProcess;
  readonly #watchdog: Watchdog;
  #init = '';

  private constructor(config: string, group: string, child: ChildProcess, watchdog: Watchdog) {
    this.config = config;
    this.#group = group;
    this.#child = child;
    this.#watchdog = watchdog;
  }

  /** @param dropIns text of what an operator would add by `systemctl edit`, by unit */
  static async start(dropIns: Record<string, string> = {}): Promise<SystemdManager> {
    const folder = await mkdtemp(join(tmpdir(), 'imap-broker-systemd-'));
    const [root, config, units] = ['root', 'config', 'units'].map((name) => join(folder, name)) as [
      string,
      string,
      string,
    ];
    for (const one of [root, config]) mkdirSync(one);
    // The broker is another user there, and reads its configuration itself.
    for (const one of [folder, config]) chmodSync(one, 0o755);
    await cp(join(project, 'systemd'), units, { recursive: true });
    await addTargets(units);
    for (const [unit, text] of Object.entries(dropIns)) await addDropIn(units, unit, text);
    const group = join(controlGroup(), `imap-broker-test-${process.pid}-${Date.now()}`);
    mkdirSync(group);
    const inside = ['sh', script, root, project, config, units, process.execPath];
    const enter = 'echo $$ > "$0/cgroup.procs" && exec "$@"';
    const child = spawn('sh', ['-c', enter, group, 'unshare', ...NAMESPACES, ...inside], {
      stdio: ['ignore', 'inherit', 'inherit'],
      detached: true,
    });
    const watchdog = new Watchdog(folder);
    watchdog.guard(child.pid ?? 0);
    const manager = new SystemdManager(config, group, child, watchdog);
    await manager.#untilUp();
    return manager;
  }

  /**
   * Runs systemctl and answers what it prints.
   * @throws when it fails, with what it printed
   */
  async systemctl(...args: string[]): Promise<string> {
    return this.inside('systemctl', '--no-pager', ...args);
  }

  /** Runs a program among those of the manager. */
  async inside(program: string, ...args: string[]): Promise<string> {
    const { stdout } = await run('nsenter', ['-t', this.#init, '-m', '-p', '-C', '--', program, ...args]);
    return stdout.trim();
  }

  /** Properties of a unit. */
  async show(unit: string, ...properties: string[]): Promise<Record<string, string>> {
    const text = await this.systemctl('show', unit, ...properties.map((name) => `--property=${name}`));
    return Object.fromEntries(text.split('\n').map((line) => line.split(/=(.*)/s).slice(0, 2)));
  }

  /** Where a file of the manager's root is to be found from outside. */
  path(inside: string): string {
    return `/proc/${this.#init}/root${inside}`;
  }

  /** What the services have printed. */
  async log(): Promise<string> {
    return readFile(this.path(LOG), 'utf8').catch(() => '');
  }

  async stop(): Promise<void> {
    const ended = once(this.#child, 'close');
    this.#child.kill('SIGKILL');
    await ended;
    await emptied(this.#group);
    await this.#watchdog.finish();
  }

  async #untilUp(): Promise<void> {
    const { pid } = this.#child;
    for (;;) {
      if (this.#child.exitCode !== null)
        throw new Error(`No manager could be started: exit code ${this.#child.exitCode}.`);
      const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '');
      this.#init = children.trim();
      if (this.#init !== '' && (await this.#isUp())) return;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  async #isUp(): Promise<boolean> {
    const state = await this.systemctl('is-active', 'multi-user.target').catch(() => '');
    return state === 'active';
  }
}

async function addTargets(units: string): Promise<void> {
  for (const name of TARGETS) {
    await writeFile(join(units, `${name}.target`), '[Unit]\nDescription=nothing\nDefaultDependencies=no\n');
  }
}

/** Every service prints to one file: there is no journal. */
async function addDropIn(units: string, unit: string, text: string): Promise<void> {
  mkdirSync(join(units, `${unit}.d`));
  await writeFile(
    join(units, `${unit}.d`, 'test.conf'),
    `[Service]\nStandardOutput=append:${LOG}\nStandardError=append:${LOG}\n${text}\n`,
  );
}

/** Removes a control group with those below it, once the processes in it are gone. */
async function emptied(group: string): Promise<void> {
  for (const { name } of readdirSync(group, { withFileTypes: true }).filter((entry) => entry.isDirectory())) {
    await emptied(join(group, name));
  }
  for (;;) {
    try {
      rmdirSync(group);
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EBUSY') throw error;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}
