import type { ImapConnection } from '../../src/imap/connection/connection.js';
import { type Credentials, type ServerOptions, tokenEnd } from '../../src/imap/login/server-options.js';
import type { Connect } from '../../src/pool/account-host.js';
import { BrokerError } from '../../src/protocol/errors.js';
import type { Trace } from '../../src/runtime/trace.js';

/** What the next logins come to; `hang`: they never end unless they are aborted. */
export type LoginOutcome = 'ok' | 'unavailable' | 'refused' | 'hang';

const tick = () => new Promise<void>((resolve) => setImmediate(resolve));

/** Connections without a network, which count themselves and notice when two have hold of them. */
export class FakeServers {
  /** From the beginning of the login to the end of the LOGOUT, by server and user, and of all. */
  readonly live = new Map<string, number>();
  readonly most = new Map<string, number>();
  readonly open = new Set<FakeConnection>();
  logins = 0;
  logouts = 0;
  outcome: LoginOutcome = 'ok';
  /** Turns of the event loop that a login takes, and a LOGOUT. */
  turns = 1;

  readonly connect: Connect = async (server, credentials, signal) => {
    this.logins += 1;
    const names = ['all', `server ${server.name}`, `user ${server.name} ${credentials.user}`];
    for (const name of names) this.#count(name, 1);
    try {
      await this.#login(signal);
    } catch (error) {
      for (const name of names) this.#count(name, -1);
      throw error;
    }
    const connection = new FakeConnection(server, credentials, this, () => {
      this.open.delete(connection);
      for (const name of names) this.#count(name, -1);
    });
    this.open.add(connection);
    return connection as unknown as ImapConnection;
  };

  async #login(signal: AbortSignal): Promise<void> {
    const { outcome } = this;
    for (let turn = 0; turn < this.turns; turn += 1) await tick();
    while (outcome === 'hang' && !signal.aborted) await tick();
    signal.throwIfAborted();
    if (outcome === 'unavailable') throw new BrokerError('UPSTREAM_UNAVAILABLE', 'down', { retryAfterMs: 2_000 });
    if (outcome === 'refused') throw new BrokerError('IMAP_AUTH_FAILED', 'refused');
  }

  #count(name: string, by: number): void {
    const live = (this.live.get(name) ?? 0) + by;
    this.live.set(name, live);
    this.most.set(name, Math.max(live, this.most.get(name) ?? 0));
  }
}

/** As much of an ImapConnection as the pool knows. */
export class FakeConnection {
  readonly createdAt = Date.now();
  readonly tokenEndsAt: number | undefined;
  readonly id: string;
  readonly writes = { begun: 0, done: 0 };
  bytes = { sent: 0, received: 0 };
  served = 0;
  trace: Trace | undefined;
  readonly server: ServerOptions;
  selected: { path: string } | undefined;
  usable = true;
  quiet = true;
  /** Whether a job works on it: no other job may then. */
  held = false;
  /** Half-open: NOOP is never answered. */
  silent = false;
  readonly #servers: FakeServers;
  readonly #gone: () => void;
  readonly #listeners: Array<() => void> = [];
  #loggingOut: Promise<void> | undefined;

  constructor(server: ServerOptions, credentials: Credentials, servers: FakeServers, gone: () => void) {
    this.id = `fake-${servers.logins}`;
    this.server = server;
    this.tokenEndsAt = tokenEnd(credentials);
    this.#servers = servers;
    this.#gone = gone;
  }

  onClose(listener: () => void): void {
    if (this.usable) this.#listeners.push(listener);
    else listener();
  }

  noop(): Promise<void> {
    if (this.silent) return new Promise(() => {});
    return this.usable ? Promise.resolve() : Promise.reject(new BrokerError('CONNECTION_LOST', 'lost'));
  }

  logout(): Promise<void> {
    this.#loggingOut ??= this.#logout();
    return this.#loggingOut;
  }

  async #logout(): Promise<void> {
    if (!this.usable) return;
    this.#servers.logouts += 1;
    for (let turn = 0; turn < this.#servers.turns; turn += 1) await tick();
    this.close();
  }

  close(): void {
    if (!this.usable) return;
    this.usable = false;
    this.#gone();
    for (const listener of this.#listeners.splice(0)) listener();
  }
}
