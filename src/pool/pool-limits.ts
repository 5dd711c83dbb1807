/** Bounds of the pool; every count is of connections, from the first packet to the end of the LOGOUT. */
export interface PoolLimits {
  connectionsPerAccount: number;
  connectionsPerServer: number;
  /** Most connections of the whole broker. */
  connections: number;
  /** Jobs that may wait for a connection, for each account. */
  queuePerAccount: number;
  /** Milliseconds that a job may wait for a connection. */
  acquireTimeoutMs: number;
  /** Milliseconds after which an idle connection is reaped. */
  idleMs: number;
  /** Milliseconds after its login when a connection is retired, however recent its last use is. */
  maxAgeMs: number;
  /** A connection that the server ends within so many milliseconds after its login counts as refused. */
  stayMs: number;
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
  stayMs: 5_000,
  logoutMs: 2_000,
};
