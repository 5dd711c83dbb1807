import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';

// Reads process group ids, the last one counts (0: none). Its input ends when the test process ends, in whatever way.
const SCRIPT = `
last=0
while read -r group; do last=$group; done
if [ "$last" != 0 ]; then kill -s KILL -- "-$last" 2>/dev/null; fi
rm -rf -- "$1" 2>/dev/null || { sleep 0.2; rm -rf -- "$1"; }
`;

/**
 * Kills a process group and removes a folder when this process is gone, even by SIGKILL: a server that outlives its test
 * run would hold its ports and its mail for ever.
 */
export class Watchdog {
  readonly #child: ChildProcess;
  readonly #exited: Promise<unknown>;

  constructor(folder: string) {
    // A session of its own: Ctrl-C must end the tests and leave this one to tidy up.
    this.#child = spawn('/bin/sh', ['-c', SCRIPT, 'sh', folder], {
      stdio: ['pipe', 'ignore', 'ignore'],
      detached: true,
      cwd: '/',
    });
    this.#exited = once(this.#child, 'exit');
    this.#child.stdin?.on('error', () => {});
    this.#child.unref();
  }

  /** Names the process group to kill; 0 when there is none. */
  guard(group: number): void {
    this.#child.stdin?.write(`${group}\n`);
  }

  /** Does its work now. */
  async finish(): Promise<void> {
    this.#child.ref();
    this.#child.stdin?.end();
    await this.#exited;
  }
}
