import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** What is asked for: an index page that the server confirms, the same from memory, and nothing but an answer. */
export type Asked = 'list' | 'list, aged' | 'ping';

/** What the process is to do, for one of the ways to the brokers. */
export type Order =
  | { what: 'enter'; way: string; url: string; users: readonly string[]; password: string }
  | { what: 'ask'; way: string; asked: Asked; requests: number; callers: number }
  | { what: 'tell'; way: string; asked: Asked; callers: number };

/** What was asked for so far, in one way and with so many callers. */
export interface Told {
  requests: number;
  medianMs: number;
  p95Ms: number;
}

export type Done = { told?: Told } | { error: string };

/** The typed client in a process of its own, so that the processor time of each side can be told apart. */
export class AskingProcess {
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  static async start(): Promise<AskingProcess> {
    const child = fork(fileURLToPath(new URL('asking-client.js', import.meta.url)));
    await once(child, 'spawn');
    return new AskingProcess(child);
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Resolves when it is done, one order after the other; rejects with what failed. */
  async order(order: Order): Promise<Told | undefined> {
    const ended = new AbortController();
    const { signal } = ended;
    const exit = once(this.#child, 'exit', { signal }).then(([code]) => ({ error: `The client ended with ${code}.` }));
    const answer = once(this.#child, 'message', { signal }).then(([done]) => done as Done);
    exit.catch(() => {});
    this.#child.send(order);
    const done = await Promise.race([answer, exit]);
    answer.catch(() => {});
    ended.abort();
    if ('error' in done) throw new Error(done.error);
    return done.told;
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    this.#child.kill();
    await once(this.#child, 'exit');
  }
}
