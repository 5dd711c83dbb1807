import type { Secret, Session } from './session.js';

/** Proven credentials, with the account that they are for. */
export interface Proven {
  tenant: string;
  server: string;
  user: string;
  secret: Secret;
}

/** A session with the token that opens it. */
export interface Opened {
  token: string;
  session: Session;
}

/** A session that was used here. Times in milliseconds since 1970. */
export interface LiveSession {
  tenant: string;
  accountKey: string;
  openedAt: number;
  /** When the last of its tokens that was seen here ends. */
  expiresAt: number;
}

/** For how long the end of sessions holds, and where. */
export interface Holds {
  /** Whether it outlives a restart. */
  lasts: boolean;
  /** Whether all brokers know of it; null where they have no store in common. */
  everywhere: boolean | null;
}

/** Opens, finds, renews and ends sessions. Tokens are worth nothing to another tenant. */
export interface SessionStore {
  /** Makes a token for an account whose credentials were proven. */
  open(proven: Proven): Promise<Opened>;
  /**
   * The session of a token.
   * @throws BrokerError SESSION_EXPIRED when the token is forged, ended, revoked or of another tenant
   */
  resolve(tenant: string, token: string): Promise<Session>;
  /**
   * Checks that the session has not ended; to be called again after each wait.
   * @throws BrokerError SESSION_EXPIRED when the session was closed, kicked or revoked
   */
  check(session: Session): void;
  /** What the newest token of the session that was seen here has proven. */
  newestSecret(session: Session): Secret;
  /**
   * Makes another token for the same session, with a new end; with another secret where one is given.
   * @throws BrokerError SESSION_EXPIRED when the session has ended meanwhile
   */
  renew(session: Session, secret?: Secret): Promise<Opened>;
  /** Ends a session: no token opens it any more. */
  close(session: Session): Promise<Holds>;
  /** Ends all sessions of a tenant, or of one of its users. @returns also how many accounts were in use here */
  revoke(tenant: string, user?: string): Promise<{ accounts: number } & Holds>;
  /** Ends a session by its id. @returns also the key of its account; `undefined` where no such session was used here */
  kick(id: string): Promise<({ accountKey: string } & Holds) | undefined>;
  /** Sessions of a tenant that were used here and have not ended. */
  count(tenant: string): number;
  /** Sessions that were used here and have not ended, by id, the longest unused first. */
  readonly live: ReadonlyMap<string, LiveSession>;
  /** How many live sessions there are, of how many accounts, and how many are remembered at most. */
  readonly totals: { sessions: number; accounts: number; limit: number };
  /** How many live sessions an account has. */
  countOf(accountKey: string): number;
  /** Whether an account has a session that was used here. */
  hasAccount(accountKey: string): boolean;
}
