import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { expect, onTestFinished } from 'vitest';
import type { MethodName, Result } from '../../src/protocol/contract.js';
import type { WatchEvent } from '../../src/protocol/events.js';
import { projectRoot } from '../cli/built.js';

/** Languages with a client in clients/, and how a program in it is run. */
export const languages: readonly [name: string, command: readonly string[]][] = [
  ['PHP', ['php', 'test/clients/driver.php']],
  ['Python', ['/usr/bin/python3', '-W', 'error::SyntaxWarning', 'test/clients/driver.py']],
];

/** What a driver answers to a request that failed. */
export interface DriverError {
  kind: string;
  message: string;
  executed: string;
  retryAfterMs: number | null;
  field: string | null;
  imap: { status: string; code?: string; text: string } | null;
  code: number;
}

export interface DriverOptions {
  url?: string;
  token?: string;
  timeoutMs?: number;
  connectTimeoutMs?: number;
  caFile?: string;
  verify?: boolean;
  shards?: number;
}

/** What a driver says of a body: how many bytes came, and their hash. */
export interface ReadBody {
  bytes: number;
  sha256: string;
}

/** What a driver answers to a call: the result, with what it read of the body in place of a stream or data. */
export type Read<M extends MethodName> =
  Result<M> extends { stream: unknown } ? Omit<Result<M>, 'stream' | 'data'> & { body: ReadBody } : Result<M>;

/** What the clients add to the events of the contract: what was missed is gone, so read the folders again. */
export type DriverEvent = WatchEvent | { type: 'resync'; mailboxes: string[] };

/** A program in another language, which does with its client what a test asks for. It ends with the test, and must not complain. */
export class Driver {
  readonly child: ChildProcessWithoutNullStreams;
  err = '';
  #asked = 0;
  readonly #lines: AsyncIterator<string>;

  constructor(command: readonly string[], env: Record<string, string> = {}) {
    const [program = '', ...args] = command;
    if (program.startsWith('/') && !existsSync(program))
      throw new Error(`There is no ${program}: npm test installs it.`);
    this.child = spawn(program, args, {
      cwd: projectRoot,
      env: { ...process.env, PYTHONDONTWRITEBYTECODE: '1', ...env },
    });
    this.child.on('error', () => {});
    this.child.stdin.on('error', () => {});
    this.child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.err += text;
    });
    this.#lines = createInterface({ input: this.child.stdout })[Symbol.asyncIterator]();
    onTestFinished(() => this.#end());
  }

  /** A driver whose client is open. */
  static async open(command: readonly string[], options: DriverOptions, session?: string): Promise<Driver> {
    const driver = new Driver(command);
    await driver.ask({ op: 'open', options });
    if (session !== undefined) await driver.ask({ op: 'session', session });
    return driver;
  }

  /** What came of a request. */
  async outcome(ask: Record<string, unknown>): Promise<{ result?: unknown; error?: DriverError }> {
    this.child.stdin.write(`${JSON.stringify(ask)}\n`);
    this.#asked += 1;
    const line = await this.#lines.next();
    this.#asked -= 1;
    if (line.done) throw new Error(`The program ended: ${this.err}`);
    return JSON.parse(line.value);
  }

  async ask(ask: Record<string, unknown>): Promise<unknown> {
    const { result, error } = await this.outcome(ask);
    if (error) throw new Error(`${error.kind}: ${error.message}`);
    return result;
  }

  async call<M extends MethodName>(
    method: M,
    params: Record<string, unknown> = {},
    more: Record<string, unknown> = {},
  ): Promise<Read<M>> {
    return (await this.ask({ op: 'call', method, params, ...more })) as Read<M>;
  }

  /** The next event of the watch; null where none came in its time. */
  async event(): Promise<DriverEvent | null> {
    return (await this.ask({ op: 'event' })) as DriverEvent | null;
  }

  /** The next event of a type; those before it are passed over. */
  async eventOf<T extends DriverEvent['type']>(type: T): Promise<Extract<DriverEvent, { type: T }>> {
    for (;;) {
      const event = await this.event();
      if (event === null) throw new Error(`No ${type} came`);
      if (event.type === type) return event as Extract<DriverEvent, { type: T }>;
    }
  }

  /** The error of a call that must fail. */
  async failure(method: MethodName, params: Record<string, unknown> = {}): Promise<DriverError> {
    const { error, result } = await this.outcome({ op: 'call', method, params });
    if (!error) throw new Error(`It was answered: ${JSON.stringify(result)}`);
    return error;
  }

  async #end(): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) {
      const gone = once(this.child, 'exit');
      this.child.stdin.end();
      // A test that failed may have left it waiting.
      if (this.#asked > 0) this.child.kill('SIGKILL');
      await gone;
    }
    expect(this.err).toBe('');
  }
}
