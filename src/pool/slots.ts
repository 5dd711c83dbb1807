/** Bounds of the pool; every count is of connections, from the first packet to the end of the LOGOUT. */
export interface PoolLimits {
  connectionsPerAccount: number;
  connectionsPerServer: number;
  /** Of the whole broker. */
  connections: number;
  /** Jobs that may wait for a connection, for each account. */
  queuePerAccount: number;
  /** Milliseconds that a job may wait for a connection. */
  acquireTimeoutMs: number;
  /** Milliseconds after which an idle connection is reaped. */
  idleMs: number;
  /** Milliseconds after which an idle connection is retired however young its last use is. */
  maxAgeMs: number;
  /** Milliseconds that a LOGOUT may take. */
  logoutMs: number;
}

export const defaultPoolLimits: PoolLimits = {
  connectionsPerAccount: 3,
  connectionsPerServer: 500,
  connections: 1000,
  queuePerAccount: 100,
  acquireTimeoutMs: 30_000,
  idleMs: 300_000,
  maxAgeMs: 4 * 3_600_000,
  logoutMs: 2_000,
};

/** Which cap keeps an account from another connection. */
export type Full = 'account' | 'server' | 'broker';

/** Counts connections against the caps. A slot is held until the connection is gone, so no cap is ever exceeded. */
export class Slots {
  readonly #limits: PoolLimits;
  readonly #byAccount = new Map<string, number>();
  readonly #byServer = new Map<string, number>();
  readonly #leavingByServer = new Map<string, number>();
  #total = 0;
  #leaving = 0;

  constructor(limits: PoolLimits) {
    this.#limits = limits;
  }

  /** What stands in the way of one more connection; `undefined` if nothing does. */
  full(account: string, server: string): Full | undefined {
    if ((this.#byAccount.get(account) ?? 0) >= this.#limits.connectionsPerAccount) return 'account';
    if ((this.#byServer.get(server) ?? 0) >= this.#limits.connectionsPerServer) return 'server';
    return this.#total >= this.#limits.connections ? 'broker' : undefined;
  }

  /** So many more connections are about to give their slots back; a negative number when they have. */
  leaving(server: string, by: number): void {
    this.#leaving += by;
    bump(this.#leavingByServer, server, by);
  }

  /** Connections more than there may be, to one server or at all, beside those that leave: a cap was lowered. */
  surplus(server: string): number {
    const { connectionsPerServer, connections } = this.#limits;
    const staying = this.of(server) - (this.#leavingByServer.get(server) ?? 0);
    return Math.max(0, staying - connectionsPerServer, this.#total - this.#leaving - connections);
  }

  /** Connections more that the caps which all share would let an account have. */
  free(server: string): number {
    const { connectionsPerServer, connections } = this.#limits;
    return Math.max(0, Math.min(connectionsPerServer - this.of(server), connections - this.#total));
  }

  /** Takes a slot; only after {@link full} said that there is one. */
  take(account: string, server: string): void {
    this.#add(account, server, 1);
  }

  give(account: string, server: string): void {
    this.#add(account, server, -1);
  }

  /** Connections to a server. */
  of(server: string): number {
    return this.#byServer.get(server) ?? 0;
  }

  get total(): number {
    return this.#total;
  }

  #add(account: string, server: string, by: number): void {
    this.#total += by;
    bump(this.#byAccount, account, by);
    bump(this.#byServer, server, by);
  }
}

function bump(counts: Map<string, number>, key: string, by: number): void {
  const count = (counts.get(key) ?? 0) + by;
  if (count === 0) counts.delete(key);
  else counts.set(key, count);
}
