/** What a method is for: the mail of users, or the operation of the broker. */
export type Scope = 'user' | 'admin';

/** What one tenant may use of the broker at once. */
export interface TenantQuotas {
  sockets: number;
  /** Sessions that were used here and have not ended. */
  sessions: number;
  /** Requests that may be under way on all of its sockets. */
  concurrentRequests: number;
  /** Streams that may be open on all of its sockets. */
  streams: number;
  /** Requests a second on all of its sockets; a second's worth may come at once. */
  requestsPerSecond: number;
}

/** A web application that may use the broker. */
export interface Tenant {
  name: string;
  /** SHA-256 of its bearer tokens, hex; two may be live for rotation. */
  tokenHashes: readonly string[];
  /** Common names of client certificates that stand for a token. */
  certificateNames: readonly string[];
  /** Names of the IMAP servers that the application may open sessions on; `undefined` for all. */
  servers: readonly string[] | undefined;
  scopes: readonly Scope[];
  quotas: TenantQuotas;
}

export const defaultTenantQuotas: TenantQuotas = {
  sockets: 500,
  sessions: 50_000,
  concurrentRequests: 2_000,
  streams: 500,
  requestsPerSecond: 2_000,
};

/** A tenant, with defaults for what is not given. */
export function tenantWith(given: Pick<Tenant, 'name'> & Partial<Tenant>): Tenant {
  const usual = { tokenHashes: [], certificateNames: [], servers: undefined, scopes: ['user' as const] };
  return { ...usual, quotas: defaultTenantQuotas, ...given };
}
