import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { need, PAGE } from './imapflow-ways.js';

/** Whether there is a PHP to measure. */
export function phpIsThere(): boolean {
  return spawnSync('php', ['-v'], { stdio: 'ignore' }).status === 0;
}

/** A PHP process that shows page views, one at a time, as a worker of FPM does. */
export class PhpWorker {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #lines: AsyncIterator<string>;

  constructor() {
    this.#child = spawn('php', ['test/bench/php-page.php']);
    this.#child.stderr.pipe(process.stderr);
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
  }

  /** One page view. */
  async show(view: Record<string, unknown>): Promise<void> {
    this.#child.stdin.write(`${JSON.stringify(view)}\n`);
    const { value } = await this.#lines.next();
    need(Number(value) === PAGE, 'page of PHP');
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null) return;
    const gone = once(this.#child, 'exit');
    this.#child.stdin.end();
    await gone;
  }
}
