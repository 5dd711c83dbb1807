import type { Session } from './session.js';

/** Opens, finds and ends sessions. Tokens are worth nothing to another tenant. */
export interface SessionStore {
  /** Makes a token for an account whose credentials were proven. */
  open(proven: { tenant: string; server: string; user: string; accountKey: string }): {
    token: string;
    session: Session;
  };
  /**
   * The session of a token; each use moves its end.
   * @throws BrokerError SESSION_EXPIRED when the token is unknown, ended or of another tenant
   */
  resolve(tenant: string, token: string): Session;
  /** Whether an account has a session. */
  hasAccount(accountKey: string): boolean;
  /** Ends a session. */
  close(tenant: string, token: string): void;
}
