/** What session.open proved: whoever holds the token may act on this account. */
export interface Session {
  tenant: string;
  server: string;
  user: string;
  /** Key of the account in the registry: tenant, server, user. */
  accountKey: string;
  openedAt: number;
  expiresAt: number;
}
