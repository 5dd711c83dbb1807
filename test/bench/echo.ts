import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Program } from '../cli/program.js';
import { RawClient } from '../support/running-broker.js';

/** A bare WebSocket JSON server in a process of its own: what an answer of some size costs at the least. */
export class Echo {
  readonly #folder: string;
  readonly #program: Program;
  readonly #client: RawClient;

  private constructor(folder: string, running: Program, client: RawClient) {
    this.#folder = folder;
    this.#program = running;
    this.#client = client;
  }

  static async start(): Promise<Echo> {
    const folder = await mkdtemp(join(tmpdir(), 'imap-broker-echo-'));
    const socket = join(folder, 'echo.sock');
    const running = new Program(process.execPath, [fileURLToPath(new URL('echo-server.js', import.meta.url)), socket]);
    await running.printed(/listening/);
    return new Echo(folder, running, await RawClient.open(`ws+unix:${socket}`));
  }

  /** From now on this is answered to {@link call} with the name. */
  async learn(name: string, answer: unknown): Promise<void> {
    await this.#client.request('echo', { name, answer }).answer;
  }

  call(name: string): Promise<unknown> {
    return this.#client.request('echo', { name }).answer;
  }

  async stop(): Promise<void> {
    await this.#client.close();
    await this.#program.stop();
    await rm(this.#folder, { recursive: true, force: true });
  }
}
