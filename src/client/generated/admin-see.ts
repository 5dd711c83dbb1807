// Written by `npm run docs` from src/protocol.

import type { CallOptions } from '../calls.js';
import type { RequestParams } from './models.js';

/** What server.list answers. */
export interface ServerListResult {
  servers: {
    name: string;
    /**
     * reachable: it answered the last login. failing: it did not, and the next request tries it again. backing
     * off: it was not reached several times, so that no login is tried until `retryAfterMs` is over; then one
     * login finds out whether it works again. paused: broker.pause keeps all accounts from it. untried: no login
     * has been tried yet.
     */
    state: 'reachable' | 'failing' | 'backing off' | 'paused' | 'untried';
    /** Connects that failed, one after the other. */
    failures: number;
    /** Milliseconds until the next try; 0 unless the broker backs off. */
    retryAfterMs: number;
    connections: number;
    /** Connections that there may be: as configured, or fewer where the server refused more. */
    connectionLimit: number;
    /**
     * Connections that there were when the server ended another before its greeting; the limit climbs by a tenth
     * each minute without a refusal. null where the server did not do that, or when that is over.
     */
    learnedLimit: number | null;
    /** Accounts in use. */
    accounts: number;
    /** Requests that wait for a connection. */
    waiting: number;
    /** Accounts that may have fewer connections than the configuration allows, because the server said so. */
    reduced: number;
  }[];
}

/** Parameters of account.list. */
export interface AccountListParams extends RequestParams {
  /** Those of this application alone. */
  tenant?: string | undefined;
  /** Those at this IMAP server alone. */
  server?: string | undefined;
  /** Those of this login name alone. */
  user?: string | undefined;
  /** Which accounts come first; for all but oldest, those with the most; latency: by p95. Default: `"oldest"`. */
  sort?: 'oldest' | 'busy' | 'waiting' | 'connections' | 'sessions' | 'watches' | 'requests' | 'latency' | undefined;
  /** Rows in a page. Default: `100`. */
  limit?: number | undefined;
  /** Rows to pass over. Default: `0`. */
  offset?: number | undefined;
}

/** What account.list answers. */
export interface AccountListResult {
  accounts: {
    /** The application. */
    tenant: string;
    server: string;
    user: string;
    idle: number;
    busy: number;
    /** Connections that a watch has, and gives up when they are needed. */
    watching: number;
    connecting: number;
    /** Requests that wait for a connection. */
    waiting: number;
    /** Milliseconds that the first of them has waited; 0 where none does. */
    longestWaitMs: number;
    /** Connections that the account may have at once, as far as the server has told. */
    budget: number;
    /** Whether broker.pause keeps the account from its connections. */
    paused: boolean;
    /** Sessions that were used here and have not ended. */
    sessions: number;
    /** Folders that are watched. */
    watches: number;
    /** Memory that is taken by what is known of the mail of the account. */
    viewBytes: number;
    /** Requests of the account in a second: an average in which what is older than half a minute counts little. */
    perSecond: number;
    /**
     * Milliseconds from arrival to answer that 50, 95 and 99 % of its last 100 requests did not exceed; null where
     * there was none in the last five minutes.
     */
    latencyMs: {
      p50: number;
      p95: number;
      p99: number;
    } | null;
  }[];
  /** How many there are, of those that were asked for. */
  total: number;
  /** Where the next page begins; null after the last. */
  nextOffset: number | null;
}

/** Parameters of connection.list. */
export interface ConnectionListParams extends RequestParams {
  /** Those of this application alone. */
  tenant?: string | undefined;
  /** Those at this IMAP server alone. */
  server?: string | undefined;
  /** Those of this login name alone. */
  user?: string | undefined;
  /** Rows in a page. Default: `100`. */
  limit?: number | undefined;
  /** Rows to pass over. Default: `0`. */
  offset?: number | undefined;
}

/** What connection.list answers. */
export interface ConnectionListResult {
  connections: {
    /** As in the log and in explain. */
    id: string;
    /** The application. */
    tenant: string;
    server: string;
    user: string;
    state: 'idle' | 'busy' | 'watching';
    /** The folder that the connection has selected. */
    mailbox: string | null;
    ageMs: number;
    /** 0 unless the connection is idle. */
    idleMs: number;
    /** Requests whose work the connection did; work that several requests share counts once. */
    served: number;
    sentBytes: number;
    receivedBytes: number;
  }[];
  /** How many there are, of those that were asked for. */
  total: number;
  /** Where the next page begins; null after the last. */
  nextOffset: number | null;
}

/** Parameters of session.list. */
export interface SessionListParams extends RequestParams {
  /** Those of this application alone. */
  tenant?: string | undefined;
  /** Those at this IMAP server alone. */
  server?: string | undefined;
  /** Those of this login name alone. */
  user?: string | undefined;
  /** Rows in a page. Default: `100`. */
  limit?: number | undefined;
  /** Rows to pass over. Default: `0`. */
  offset?: number | undefined;
}

/** What session.list answers. */
export interface SessionListResult {
  sessions: {
    /** The same in every token that renews it. No token can be made of it. */
    id: string;
    /** The application. */
    tenant: string;
    server: string;
    user: string;
    /** RFC 3339 in UTC. */
    openedAt: string;
    /** When the last of its tokens that was seen here ends. */
    expiresAt: string;
  }[];
  /** How many there are, of those that were asked for. */
  total: number;
  /** Where the next page begins; null after the last. */
  nextOffset: number | null;
}

/** Parameters of watch.list. */
export interface WatchListParams extends RequestParams {
  /** Those of this application alone. */
  tenant?: string | undefined;
  /** Those at this IMAP server alone. */
  server?: string | undefined;
  /** Those of this login name alone. */
  user?: string | undefined;
  /** Rows in a page. Default: `100`. */
  limit?: number | undefined;
  /** Rows to pass over. Default: `0`. */
  offset?: number | undefined;
}

/** What watch.list answers. */
export interface WatchListResult {
  watches: {
    /** The application. */
    tenant: string;
    server: string;
    user: string;
    mailboxes: string[];
    /** Sockets that get the events of the watch. */
    sockets: number;
    /** Number of the last event. */
    seq: number;
    /** false: for a folder the server has not proven within the lag of watch.start that it is there. */
    alive: boolean;
  }[];
  /** How many there are, of those that were asked for. */
  total: number;
  /** Where the next page begins; null after the last. */
  nextOffset: number | null;
}

/** Parameters of socket.list. */
export interface SocketListParams extends RequestParams {
  /** Those of this application alone. */
  tenant?: string | undefined;
  /** Rows in a page. Default: `100`. */
  limit?: number | undefined;
  /** Rows to pass over. Default: `0`. */
  offset?: number | undefined;
}

/** What socket.list answers. */
export interface SocketListResult {
  sockets: {
    id: string;
    /** The application. */
    tenant: string;
    /** Address and port; unix for a Unix socket. */
    peer: string;
    ageMs: number;
    /** Unanswered requests. */
    running: number;
    /** Answered requests. */
    served: number;
    streams: number;
    /** Bytes that wait to be sent. */
    bufferedBytes: number;
    /** Folders that the socket watches. */
    watches: number;
  }[];
  /** How many there are, of those that were asked for. */
  total: number;
  /** Where the next page begins; null after the last. */
  nextOffset: number | null;
}

/** Parameters of stream.list. */
export interface StreamListParams extends RequestParams {
  /** Those of this application alone. */
  tenant?: string | undefined;
  /** Rows in a page. Default: `100`. */
  limit?: number | undefined;
  /** Rows to pass over. Default: `0`. */
  offset?: number | undefined;
}

/** What stream.list answers. */
export interface StreamListResult {
  streams: {
    /** Id of the socket. */
    socket: string;
    /** The application. */
    tenant: string;
    /** Id of the stream on that socket. */
    stream: number;
    direction: 'download' | 'upload';
    /** Method of the request that the stream belongs to. */
    method: string;
    /** Bytes that were sent or that came. */
    bytes: number;
    ageMs: number;
    /** Milliseconds that the stream has stood still by now; after too long the stream is aborted. */
    stalledMs: number;
  }[];
  /** How many there are, of those that were asked for. */
  total: number;
  /** Where the next page begins; null after the last. */
  nextOffset: number | null;
}

export interface AdminSeeServerCalls {
  /** The IMAP servers of the configuration, and whether they can be reached. */
  list(params?: RequestParams, options?: CallOptions): Promise<ServerListResult>;
}

export interface AdminSeeAccountCalls {
  /** The accounts in use at this broker, the oldest first unless told otherwise. */
  list(params?: AccountListParams, options?: CallOptions): Promise<AccountListResult>;
}

export interface AdminSeeConnectionCalls {
  /** The IMAP connections, by account. */
  list(params?: ConnectionListParams, options?: CallOptions): Promise<ConnectionListResult>;
}

export interface AdminSeeSessionCalls {
  /** The sessions that were used at this broker and have not ended, the longest unused first. */
  list(params?: SessionListParams, options?: CallOptions): Promise<SessionListResult>;
}

export interface AdminSeeWatchCalls {
  /** The watches, one for each account. */
  list(params?: WatchListParams, options?: CallOptions): Promise<WatchListResult>;
}

export interface AdminSeeSocketCalls {
  /** The WebSockets, the oldest first. */
  list(params?: SocketListParams, options?: CallOptions): Promise<SocketListResult>;
}

export interface AdminSeeStreamCalls {
  /** The open streams, by socket. */
  list(params?: StreamListParams, options?: CallOptions): Promise<StreamListResult>;
}
