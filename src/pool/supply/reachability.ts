import { probe } from '../../imap/connection/probe.js';
import type { ServerOptions } from '../../imap/login/server-options.js';
import type { Registry } from '../registry.js';

/** Milliseconds for which it counts that a server answered: each probe is a line in its log. */
const ANSWERED_MS = 60_000;
/** Milliseconds until a server that could not be reached is probed again. */
const AGAIN_MS = 2_000;
/** Milliseconds that a server has to send its greeting and capabilities; most callers do not wait longer. */
const PROBE_MS = 3_000;

interface Found {
  /** The options with which it was found: after a reload a server may have another address. */
  server: ServerOptions;
  /** Why the server could not be reached; undefined where it answered. */
  problem: string | undefined;
  /** `performance.now()` */
  at: number;
}

/** Which IMAP servers can be reached: by the logins of the last minute, else by a connection without a login. */
export class Reachability {
  readonly #registry: Registry;
  readonly #servers: () => Iterable<ServerOptions>;
  readonly #found = new Map<string, Found>();
  /** Probes under way, which all callers share. */
  readonly #probes = new Map<ServerOptions, Promise<string | undefined>>();

  constructor(registry: Registry, servers: () => Iterable<ServerOptions>) {
    this.#registry = registry;
    this.#servers = servers;
  }

  /** Looks at all servers. @returns why each cannot be reached, undefined for one that can, by name; never rejects */
  async look(): Promise<Map<string, string | undefined>> {
    const servers = [...this.#servers()];
    for (const name of this.#found.keys())
      if (!servers.some((server) => server.name === name)) this.#found.delete(name);
    const look = async (server: ServerOptions) => [server.name, await this.#problemOf(server)] as const;
    return new Map(await Promise.all(servers.map(look)));
  }

  /** Whether each server can be reached as far as it is known, by name; has servers looked at for the next call. */
  get known(): Map<string, boolean> {
    void this.look();
    const servers = [...this.#servers()].filter(({ name }) => this.#found.has(name) || this.#isBackingOff(name));
    return new Map(
      servers.map(({ name }) => [name, !this.#isBackingOff(name) && this.#found.get(name)?.problem === undefined]),
    );
  }

  async #problemOf(server: ServerOptions): Promise<string | undefined> {
    const gate = this.#registry.servers.get(server.name);
    if (gate?.state === 'open') {
      return `backing off for ${Math.ceil(gate.retryAfterMs / 1000)} s, after ${gate.failures} failures`;
    }
    const reachedAt = this.#registry.reachedAt(server.name);
    const found = this.#found.get(server.name);
    if (reachedAt !== undefined && reachedAt > (found?.at ?? 0)) this.#note(server, undefined, reachedAt);
    const now = this.#found.get(server.name);
    const sure = now?.problem === undefined && (gate?.failures ?? 0) === 0;
    if (now && now.server === server && performance.now() - now.at < (sure ? ANSWERED_MS : AGAIN_MS))
      return now.problem;
    const asked = this.#probes.get(server) ?? this.#probe(server);
    this.#probes.set(server, asked);
    return await asked;
  }

  async #probe(server: ServerOptions): Promise<string | undefined> {
    const steps = await probe(server, undefined, Date.now() + PROBE_MS);
    const failed = steps.find(({ ok }) => !ok);
    const problem = failed && `${failed.step}: ${failed.detail}`;
    this.#note(server, problem, performance.now());
    this.#probes.delete(server);
    return problem;
  }

  #note(server: ServerOptions, problem: string | undefined, at: number): void {
    this.#found.set(server.name, { server, problem, at });
  }

  #isBackingOff(name: string): boolean {
    return this.#registry.servers.get(name)?.state === 'open';
  }
}
