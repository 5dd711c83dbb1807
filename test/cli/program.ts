import { type ChildProcess, spawn } from 'node:child_process';

/** A program that a test runs, with all that it prints. */
export class Program {
  readonly child: ChildProcess;
  out = '';
  err = '';
  #closed = false;
  #waiting: Array<() => void> = [];

  constructor(command: string, args: readonly string[], options: { cwd?: string; env?: Record<string, string> } = {}) {
    const { IMAP_BROKER_CONFIG, IMAP_BROKER_TOKEN, IMAP_BROKER_URL, ...env } = process.env;
    this.child = spawn(command, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      cwd: options.cwd,
      env: { ...env, ...options.env },
    });
    this.child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.out += text;
      this.#changed();
    });
    this.child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.err += text;
      this.#changed();
    });
    this.child.once('close', () => {
      this.#closed = true;
      this.#changed();
    });
  }

  /** Waits until something matches in what was printed to either. */
  async printed(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const match = pattern.exec(this.out) ?? pattern.exec(this.err);
      if (match) return match;
      if (this.#closed) throw new Error(`ended with ${this.child.exitCode}:\n${this.out}${this.err}`);
      await this.#change();
    }
  }

  /** The exit code; `null` after a signal that it did not handle. */
  async ended(): Promise<number | null> {
    while (!this.#closed) await this.#change();
    return this.child.exitCode;
  }

  /** Sends a signal and waits for the end. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    this.child.kill(signal);
    return await this.ended();
  }

  #change(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #changed(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}
