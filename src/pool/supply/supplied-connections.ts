import type { ImapConnection } from '../../imap/connection/connection.js';
import type { Credentials, ServerOptions } from '../../imap/login/server-options.js';
import type { AccountHost } from '../account-host.js';
import { Budget } from './budget.js';
import type { Full } from './caps.js';

/** The connections of an account and its logins under way, with the slots that they take. */
export class SuppliedConnections {
  /** The account's connections, each from the end of its login to the end of its LOGOUT. */
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
    this.budget = new Budget(() => host.limits.now.connectionsPerAccount);
  }

  /** From now on connections are made to this server. */
  useServer(server: ServerOptions): void {
    this.#server = server;
  }

  /**
   * Connections above the configured limit after the limit was lowered, without those being ended. The server's own
   * limit does not count here: connections that the server has accepted are kept.
   */
  get surplus(): number {
    return Math.max(0, this.size - this.#leaving - this.#host.limits.now.connectionsPerAccount);
  }

  /** Connections that are being ended. */
  get leaving(): number {
    return this.#leaving;
  }

  /** A connection is about to be ended. @returns function to call when it is gone; its slot is still taken then */
  beginLeaving(connection: ImapConnection): () => void {
    const { name } = this.#server;
    this.#leaving += 1;
    this.#host.caps.leaving(name, 1);
    return () => {
      this.#leaving -= 1;
      this.#host.caps.leaving(name, -1);
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

  /** Which cap keeps the account from one more connection; `undefined` if none does. */
  get full(): Full | undefined {
    if (this.size >= this.budget.limit) return 'account';
    return this.#host.caps.full(this.#key, this.#server.name);
  }

  /** Most connections that the account could have now: those it has, and those that the shared caps still allow. */
  get reach(): number {
    return Math.min(this.budget.limit, this.size + this.#host.caps.free(this.#server.name));
  }

  /** Takes a slot if there is one. */
  takeSlot(): boolean {
    if (this.full !== undefined) return false;
    this.#host.caps.take(this.#key, this.#server.name);
    return true;
  }

  giveSlot(): void {
    this.#host.caps.give(this.#key, this.#server.name);
  }

  /** Opens a connection in a slot that was taken for it; when the login fails, the slot is still taken. */
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
