import { setTimeout as sleep } from 'node:timers/promises';
import { probe } from '../../imap/connection/probe.js';
import type { ServerOptions } from '../../imap/login/server-options.js';
import type { Registry } from '../registry.js';

/** Milliseconds for which an answer is reused: each probe costs a connection. */
const FRESH_MS = 2_000;
/** Milliseconds that a server has to send its greeting and capabilities; most callers do not wait longer. */
const PROBE_MS = 3_000;

/** Head start in milliseconds of the server that answered last, before the others are probed as well. */
const HEAD_START_MS = 500;

interface Asked {
  answer: Promise<readonly string[]>;
  /** `performance.now()` */
  answeredAt: number;
}

/** Whether new work could be done: whether any server is not left alone, and answers. */
export class Reachability {
  readonly #registry: Registry;
  readonly #servers: () => Iterable<ServerOptions>;
  #asked: Asked | undefined;
  /** Name of the server that answered last; it is probed first. */
  #answered: string | undefined;

  constructor(registry: Registry, servers: () => Iterable<ServerOptions>) {
    this.#registry = registry;
    this.#servers = servers;
  }

  /** Why none of the servers can be reached, by server; empty when one can. Never rejects. */
  problems(): Promise<readonly string[]> {
    if (!this.#asked || performance.now() - this.#asked.answeredAt > FRESH_MS) this.#asked = this.#ask();
    return this.#asked.answer;
  }

  #ask(): Asked {
    const answer = this.#look();
    // Until the probe has ended, all callers share it.
    const asked = { answer, answeredAt: Number.POSITIVE_INFINITY };
    void answer.then(() => {
      asked.answeredAt = performance.now();
    });
    return asked;
  }

  async #look(): Promise<readonly string[]> {
    const problems: string[] = [];
    const ask = async (server: ServerOptions) => {
      const problem = await this.#problemOf(server);
      if (problem === undefined) return server.name;
      problems.push(`${server.name}: ${problem}`);
      throw new Error(problem);
    };
    const servers = [...this.#servers()];
    const known = servers.filter(({ name }) => name === this.#answered).map(ask);
    const early = Promise.any(known).catch(() => undefined);
    if ((await Promise.race([early, sleep(HEAD_START_MS, undefined, { ref: false })])) !== undefined) return [];
    // All at once: in turn, servers that are silent would take longer than the callers wait.
    const others = servers.filter(({ name }) => name !== this.#answered).map(ask);
    this.#answered = await Promise.any([...known, ...others]).catch(() => undefined);
    return this.#answered === undefined ? problems.sort() : [];
  }

  async #problemOf(server: ServerOptions): Promise<string | undefined> {
    const gate = this.#registry.servers.get(server.name);
    if (gate?.state === 'open') {
      return `left alone for ${Math.ceil(gate.retryAfterMs / 1000)} s, after ${gate.failures} failures`;
    }
    const steps = await probe(server, undefined, Date.now() + PROBE_MS);
    const failed = steps.find(({ ok }) => !ok);
    return failed && `${failed.step}: ${failed.detail}`;
  }
}
