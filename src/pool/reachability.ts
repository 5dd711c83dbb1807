import { greeting } from '../imap/greeting.js';
import type { ServerOptions } from '../imap/server-options.js';
import type { Registry } from './registry.js';

/** Milliseconds for which an answer is given again: it costs a connection. */
const FRESH_MS = 2_000;
/** Milliseconds that a server has for its greeting; who asks mostly waits no longer. */
const GREETING_MS = 3_000;

/** Whether new work could be done: whether any server would be tried, and answers. */
export class Reachability {
  readonly #registry: Registry;
  readonly #servers: () => Iterable<ServerOptions>;
  #asked: { at: number; answer: Promise<readonly string[]> } | undefined;
  /** The one that answered last is asked first. */
  #answered: string | undefined;

  constructor(registry: Registry, servers: () => Iterable<ServerOptions>) {
    this.#registry = registry;
    this.#servers = servers;
  }

  /** Why none of the servers can be reached, by server; empty when one can. Never rejects. */
  problems(): Promise<readonly string[]> {
    const now = performance.now();
    if (!this.#asked || now - this.#asked.at > FRESH_MS) this.#asked = { at: now, answer: this.#look() };
    return this.#asked.answer;
  }

  async #look(): Promise<readonly string[]> {
    const servers = [...this.#servers()];
    const last = servers.find(({ name }) => name === this.#answered);
    if (last && (await this.#problemOf(last)) === undefined) return [];
    const problems: string[] = [];
    // All at once: one after the other, those that are silent would take longer than anybody waits.
    const found = servers.map(async (server) => {
      const problem = await this.#problemOf(server);
      if (problem === undefined) return server.name;
      problems.push(`${server.name}: ${problem}`);
      throw new Error(problem);
    });
    this.#answered = await Promise.any(found).catch(() => undefined);
    return this.#answered === undefined ? problems.sort() : [];
  }

  async #problemOf(server: ServerOptions): Promise<string | undefined> {
    const gate = this.#registry.servers.get(server.name);
    if (gate?.state === 'open') {
      return `left alone for ${Math.ceil(gate.retryAfterMs / 1000)} s, after ${gate.failures} failures`;
    }
    try {
      await greeting(server, Math.min(GREETING_MS, server.connectTimeoutMs));
      return undefined;
    } catch (error) {
      return error instanceof Error ? error.message || String((error as NodeJS.ErrnoException).code) : String(error);
    }
  }
}
