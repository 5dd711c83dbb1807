// Written by `npm run docs` from src/protocol.

import type { CallOptions, InSession } from '../calls.js';
import type { RequestParams } from './models.js';

/** What the IMAP server can do. */
export interface Capabilities {
  /** MOVE (RFC 6851) */
  move: boolean;
  /** UIDPLUS (RFC 4315); without it message.delete is refused with IMAP_NO. */
  uidPlus: boolean;
  /** SORT (RFC 5256) */
  sort: boolean;
  /** THREAD algorithms (RFC 5256) */
  thread: string[];
  /** LIST-STATUS (RFC 5819) */
  listStatus: boolean;
  /** SPECIAL-USE (RFC 6154) */
  specialUse: boolean;
  /** CONDSTORE (RFC 7162) */
  condstore: boolean;
  /** QRESYNC (RFC 7162) */
  qresync: boolean;
  /** IDLE (RFC 2177) */
  idle: boolean;
  /** NOTIFY (RFC 5465) */
  notify: boolean;
  /** PREVIEW (RFC 8970) */
  preview: boolean;
  /** QUOTA (RFC 9208) */
  quota: boolean;
  /** ESEARCH (RFC 4731) */
  esearch: boolean;
  /** STATUS=SIZE (RFC 8438) */
  statusSize: boolean;
  /** APPENDLIMIT in bytes (RFC 7889), null where the server states none. */
  appendLimit: number | null;
}

/** A session that was opened, with its token. */
export interface Session {
  /** Token; keep it secret, in the web session for instance. */
  session: string;
  server: string;
  user: string;
  /**
   * What the IMAP server calls itself (ID, RFC 2971): name, version, vendor, support-url and such; at most 30
   * members, each cut at 200 characters. null where it does not tell.
   */
  software: Record<string, string> | null;
  capabilities: Capabilities;
  /**
   * All capabilities of the IMAP server after the login, in its own words and order; at most 250. capabilities
   * says what the broker makes of them.
   */
  offered: string[];
  namespace: {
    personal: {
      /** Begins the names of all folders in the namespace, with the delimiter; often empty. */
      prefix: string;
      delimiter: string | null;
    }[];
    other: {
      /** Begins the names of all folders in the namespace, with the delimiter; often empty. */
      prefix: string;
      delimiter: string | null;
    }[];
    shared: {
      /** Begins the names of all folders in the namespace, with the delimiter; often empty. */
      prefix: string;
      delimiter: string | null;
    }[];
  };
  limits: {
    /** Most IMAP connections that this account may have at once, as far as the server has told. */
    connections: number;
    /** Most requests that may wait for a connection. */
    queue: number;
    /** Largest message that message.append takes, in bytes. */
    appendBytes: number;
  };
  /** When the token ends; before that, session.renew answers another token. */
  expiresAt: string;
  /** When the session ends however often it is renewed. */
  endsAt: string;
}

/** What a session is. */
export interface SessionInfo {
  server: string;
  user: string;
  /**
   * What the IMAP server calls itself (ID, RFC 2971): name, version, vendor, support-url and such; at most 30
   * members, each cut at 200 characters. null where it does not tell.
   */
  software: Record<string, string> | null;
  capabilities: Capabilities;
  /**
   * All capabilities of the IMAP server after the login, in its own words and order; at most 250. capabilities
   * says what the broker makes of them.
   */
  offered: string[];
  namespace: {
    personal: {
      /** Begins the names of all folders in the namespace, with the delimiter; often empty. */
      prefix: string;
      delimiter: string | null;
    }[];
    other: {
      /** Begins the names of all folders in the namespace, with the delimiter; often empty. */
      prefix: string;
      delimiter: string | null;
    }[];
    shared: {
      /** Begins the names of all folders in the namespace, with the delimiter; often empty. */
      prefix: string;
      delimiter: string | null;
    }[];
  };
  limits: {
    /** Most IMAP connections that this account may have at once, as far as the server has told. */
    connections: number;
    /** Most requests that may wait for a connection. */
    queue: number;
    /** Largest message that message.append takes, in bytes. */
    appendBytes: number;
  };
  /** When the token ends; before that, session.renew answers another token. */
  expiresAt: string;
  /** When the session ends however often it is renewed. */
  endsAt: string;
}

/** Parameters of session.open. */
export interface SessionOpenParams extends RequestParams {
  /** Name of a server in the configuration; never a host. */
  server: string;
  /** Login name. */
  user: string;
  /** A password, or an OAuth2 access token. */
  auth:
    | {
        /** Password of the user at the IMAP server. */
        password: string;
      }
    | {
        /** OAuth2 access token. */
        accessToken: string;
        /** When the access token ends, if that is known. */
        expiresAt?: string | undefined;
      };
  /** Address of the user's browser, so that the IMAP server counts wrong passwords where they come from. */
  clientIp?: string | string | undefined;
}

/** Parameters of session.refresh. */
export interface SessionRefreshParams extends RequestParams {
  /** The new access token. */
  auth: {
    /** OAuth2 access token. */
    accessToken: string;
    /** When the access token ends, if that is known. */
    expiresAt?: string | undefined;
  };
}

/** What session.refresh answers. */
export interface SessionRefreshResult {
  session: string;
  /** When the token ends; before that, session.renew answers another token. */
  expiresAt: string;
  /** When the session ends however often it is renewed. */
  endsAt: string;
}

/** What session.renew answers. */
export interface SessionRenewResult {
  session: string;
  /** When the token ends; before that, session.renew answers another token. */
  expiresAt: string;
  /** When the session ends however often it is renewed. */
  endsAt: string;
}

/** What session.close answers. */
export interface SessionCloseResult {
  closed: true;
  /**
   * Whether the end also holds after a restart; at this broker it holds at once. False while the broker cannot
   * write its list of ended sessions, because the disk is full for instance, which it retries; and where the
   * broker has a `key_file` and no `state_dir`, so no such list.
   */
  lasts: boolean;
  /**
   * Whether all brokers that have the same store know of the end, within two seconds. False while the store
   * cannot be reached: it is told later. null where the broker has no `[shared]`.
   */
  everywhere: boolean | null;
}

export interface SessionCalls {
  /**
   * Proves credentials by a login at the IMAP server and answers a session token.
   * @throws RpcError of kind SERVER_NOT_ALLOWED, IMAP_AUTH_FAILED, IMAP_TOKEN_EXPIRED, UPSTREAM_UNAVAILABLE,
   * POOL_EXHAUSTED, CONNECTION_LOST
   */
  open(params: SessionOpenParams, options?: CallOptions): Promise<Session>;
  /** Answers what session.open answered, for a token. */
  info(params: InSession<RequestParams>, options?: CallOptions): Promise<SessionInfo>;
  /** Proves a new OAuth2 access token and answers a token for the same session with it. Connections stay. */
  refresh(params: InSession<SessionRefreshParams>, options?: CallOptions): Promise<SessionRefreshResult>;
  /** Answers another token for the same session, with a later end. The old one goes on until its own. */
  renew(params: InSession<RequestParams>, options?: CallOptions): Promise<SessionRenewResult>;
  /** Ends the session, in all of its tokens; with an account's last session its connections are logged out. */
  close(params: InSession<RequestParams>, options?: CallOptions): Promise<SessionCloseResult>;
}

export interface SessionCallsInSession {
  /** Answers what session.open answered, for a token. */
  info(params?: RequestParams, options?: CallOptions): Promise<SessionInfo>;
  /** Proves a new OAuth2 access token and answers a token for the same session with it. Connections stay. */
  refresh(params: SessionRefreshParams, options?: CallOptions): Promise<SessionRefreshResult>;
  /** Answers another token for the same session, with a later end. The old one goes on until its own. */
  renew(params?: RequestParams, options?: CallOptions): Promise<SessionRenewResult>;
  /** Ends the session, in all of its tokens; with an account's last session its connections are logged out. */
  close(params?: RequestParams, options?: CallOptions): Promise<SessionCloseResult>;
}
