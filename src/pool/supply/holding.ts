import type { ImapConnection } from '../../imap/connection/connection.js';
import type { Credentials, ServerOptions } from '../../imap/login/server-options.js';
import type { AccountHost } from '../account-host.js';
import { Budget } from './budget.js';
import type { Full } from './slots.js';

/** The connections of an account and its logins under way, with the slots that they take. */
export class Holding {
  /** From the end of the login to the end of the LOGOUT. */
  readonly connections = new Set<ImapConnection>();
  readonly budget: Budget;
  readonly #key: string;
  #server: ServerOptions;
  readonly #host: AccountHost;
  #connecting = 0;
  #leaving = 0;

  constructor(key: string, server: ServerOptions, host: AccountHost) {
    this.#key = key;
    this.#server = server;
    this.#host = host;
    this.budget = new Budget(() => host.limits.connectionsPerAccount);
  }

  /** From now on connections are made to this. */
  useServer(server: ServerOptions): void {
    this.#server = server;
  }

  /**
   * Connections more than are configured, since that was lowered, beside those that leave: what the server allows is not
   * what it takes away.
   */
  get surplus(): number {
    return Math.max(0, this.size - this.#leaving - this.#host.limits.connectionsPerAccount);
  }

  /** Connections that are being ended. */
  get leaving(): number {
    return this.#leaving;
  }

  /** A connection is about to be ended. @returns what to call when it is gone; its slot is still taken then */
  beginLeaving(connection: ImapConnection): () => void {
    const { name } = this.#server;
    this.#leaving += 1;
    this.#host.slots.leaving(name, 1);
    return () => {
      this.#leaving -= 1;
      this.#host.slots.leaving(name, -1);
      this.connections.delete(connection);
    };
  }

  /** Logins under way. */
  get connecting(): number {
    return this.#connecting;
  }

  get size(): number {
    return this.connections.size + this.#connecting;
  }

  /** What stands in the way of one more connection; `undefined` if nothing does. */
  get full(): Full | undefined {
    if (this.size >= this.budget.limit) return 'account';
    return this.#host.slots.full(this.#key, this.#server.name);
  }

  /** Connections that the account could have now: what it has, and what the caps that it shares leave it. */
  get reach(): number {
    return Math.min(this.budget.limit, this.size + this.#host.slots.free(this.#server.name));
  }

  /** Takes a slot if there is one. */
  takeSlot(): boolean {
    if (this.full !== undefined) return false;
    this.#host.slots.take(this.#key, this.#server.name);
    return true;
  }

  giveSlot(): void {
    this.#host.slots.give(this.#key, this.#server.name);
  }

  /** Opens a connection in a slot that was taken for it; when it fails the slot is still taken. */
  async open(credentials: Credentials, signal: AbortSignal): Promise<ImapConnection> {
    this.#connecting += 1;
    try {
      const connection = await this.#host.connect(this.#server, credentials, signal);
      this.connections.add(connection);
      this.budget.recognise(connection.serverName);
      return connection;
    } finally {
      this.#connecting -= 1;
    }
  }
}
