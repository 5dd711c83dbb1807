// Written by `npm run docs` from src/protocol.

import type { CallOptions } from '../calls.js';
import type { RequestParams } from './models.js';

/** Parameters of broker.drain. */
export interface BrokerDrainParams extends RequestParams {
  /** Milliseconds that running requests may take; by default `drain_seconds` of the configuration. */
  graceMs?: number | undefined;
}

/** What broker.drain answers. */
export interface BrokerDrainResult {
  draining: boolean;
  /** Unanswered requests of applications. */
  requests: number;
  /** Open streams of applications. */
  streams: number;
  /** WebSockets of applications. */
  sockets: number;
  /** Connections that are not logged out yet. */
  connections: number;
  /** Milliseconds after which what is left is cancelled; null unless draining. */
  remainingMs: number | null;
}

/** What broker.remaining answers. */
export interface BrokerRemainingResult {
  draining: boolean;
  /** Unanswered requests of applications. */
  requests: number;
  /** Open streams of applications. */
  streams: number;
  /** WebSockets of applications. */
  sockets: number;
  /** Connections that are not logged out yet. */
  connections: number;
  /** Milliseconds after which what is left is cancelled; null unless draining. */
  remainingMs: number | null;
}

/** What broker.reload answers. */
export interface BrokerReloadResult {
  /** Keys that are different now. */
  changed: string[];
  /** Keys whose difference holds after a restart alone. */
  restart: string[];
}

/** Parameters of log.level. */
export interface LogLevelParams extends RequestParams {
  /** The least severe level that is logged. */
  level: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent';
  /** Milliseconds after which the level is as configured again. */
  forMs?: number | undefined;
}

/** What log.level answers. */
export interface LogLevelResult {
  level: string;
  before: string;
}

/** What keys.rotate answers. */
export interface KeysRotateResult {
  /** Id of the new key. */
  id: string;
  /** Keys that open tokens. */
  keys: number;
}

/** Parameters of server.probe. */
export interface ServerProbeParams extends RequestParams {
  /** Name of a server in the configuration. */
  server: string;
  /** Login name; without it there is no login. */
  user?: string | undefined;
  /** Goes with user. */
  password?: string | undefined;
}

/** What server.probe answers. */
export interface ServerProbeResult {
  steps: {
    step: 'dns' | 'connect' | 'tls' | 'greeting' | 'capabilities' | 'login';
    ok: boolean;
    ms: number;
    /** What was found, or why it failed. */
    detail: string;
  }[];
}

/** Parameters of broker.pause. */
export interface BrokerPauseParams extends RequestParams {
  /** Name of an application; without it those of all. */
  tenant?: string | undefined;
  /** Name of a server in the configuration; without it those on all. */
  server?: string | undefined;
  /** Login name; without it those of all. */
  user?: string | undefined;
}

/** What broker.pause answers. */
export interface BrokerPauseResult {
  /** Accounts in use that the pause concerns. */
  accounts: number;
  /** Connections that still work: the answer waits for them, but no longer than 10 seconds. */
  connections: number;
  /** What is paused now; `{}` is everything. */
  paused: {
    /** Name of an application; without it those of all. */
    tenant?: string;
    /** Name of a server in the configuration; without it those on all. */
    server?: string;
    /** Login name; without it those of all. */
    user?: string;
  }[];
}

/** Parameters of broker.resume. */
export interface BrokerResumeParams extends RequestParams {
  /** Name of an application; without it those of all. */
  tenant?: string | undefined;
  /** Name of a server in the configuration; without it those on all. */
  server?: string | undefined;
  /** Login name; without it those of all. */
  user?: string | undefined;
}

/** What broker.resume answers. */
export interface BrokerResumeResult {
  /** Pauses that were ended. */
  resumed: number;
  /** What is paused now; `{}` is everything. */
  paused: {
    /** Name of an application; without it those of all. */
    tenant?: string;
    /** Name of a server in the configuration; without it those on all. */
    server?: string;
    /** Login name; without it those of all. */
    user?: string;
  }[];
}

/** Parameters of pool.reconnect. */
export interface PoolReconnectParams extends RequestParams {
  /** Name of an application; without it those of all. */
  tenant?: string | undefined;
  /** Name of a server in the configuration; without it those on all. */
  server?: string | undefined;
  /** Login name; without it those of all. */
  user?: string | undefined;
}

/** What pool.reconnect answers. */
export interface PoolReconnectResult {
  accounts: number;
  /** Connections that are replaced. */
  connections: number;
}

/** Parameters of account.kick. */
export interface AccountKickParams extends RequestParams {
  /** Name of the application. */
  tenant: string;
  /** Name of a server in the configuration. */
  server: string;
  /** Login name. */
  user: string;
}

/** What account.kick answers. */
export interface AccountKickResult {
  connections: number;
  /** Requests that were cancelled. */
  requests: number;
}

/** Parameters of socket.kick. */
export interface SocketKickParams extends RequestParams {
  /** Id of the socket, as socket.list tells it. */
  socket: string;
}

/** What socket.kick answers. */
export interface SocketKickResult {
  tenant: string;
}

/** Parameters of session.kick. */
export interface SessionKickParams extends RequestParams {
  /** Id of the session, as session.list tells it; not the token. */
  id: string;
}

/** What session.kick answers. */
export interface SessionKickResult {
  tenant: string;
  server: string;
  user: string;
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

/** Parameters of session.revoke. */
export interface SessionRevokeParams extends RequestParams {
  /** Name of the application. */
  tenant: string;
  /** Login name; without it all users of the application. */
  user?: string | undefined;
}

/** What session.revoke answers. */
export interface SessionRevokeResult {
  /** Accounts that were in use at this broker and are logged out now. */
  accounts: number;
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

export interface AdminDoBrokerCalls {
  /**
   * Begins to stop the broker: applications get DRAINING for new requests, what runs may finish, all connections
   * are logged out. Methods for operators are answered until the end.
   */
  drain(params?: BrokerDrainParams, options?: CallOptions): Promise<BrokerDrainResult>;
  /** What is under way at this broker: what a drain waits for. */
  remaining(params?: RequestParams, options?: CallOptions): Promise<BrokerRemainingResult>;
  /**
   * Reads the configuration file again. What may change holds at once, and no request is dropped; a file that
   * cannot be used changes nothing.
   * @throws RpcError of kind INVALID_CONFIG
   */
  reload(params?: RequestParams, options?: CallOptions): Promise<BrokerReloadResult>;
  /**
   * Gives accounts no connections until broker.resume: requests wait, as long as they may wait for a connection.
   * Idle connections are logged out now, the others after their current work.
   * @throws RpcError of kind NOT_FOUND
   */
  pause(params?: BrokerPauseParams, options?: CallOptions): Promise<BrokerPauseResult>;
  /**
   * Ends what broker.pause began, for what is named and for parts of it.
   * @throws RpcError of kind NOT_FOUND
   */
  resume(params?: BrokerResumeParams, options?: CallOptions): Promise<BrokerResumeResult>;
}

export interface AdminDoLogCalls {
  /** Sets the least severe messages that are logged, until the configuration is read again or for a while. */
  level(params: LogLevelParams, options?: CallOptions): Promise<LogLevelResult>;
}

export interface AdminDoKeysCalls {
  /**
   * Seals new session tokens with a new key; the last three keys still open tokens.
   * @throws RpcError of kind FORBIDDEN
   */
  rotate(params?: RequestParams, options?: CallOptions): Promise<KeysRotateResult>;
}

export interface AdminDoServerCalls {
  /**
   * Connects to an IMAP server step by step, also while the broker backs off from it, and says at which step
   * that fails.
   * @throws RpcError of kind NOT_FOUND, POOL_EXHAUSTED
   */
  probe(params: ServerProbeParams, options?: CallOptions): Promise<ServerProbeResult>;
}

export interface AdminDoPoolCalls {
  /**
   * Replaces connections: idle ones are logged out now, the others after their current work. No request is
   * disturbed.
   * @throws RpcError of kind NOT_FOUND
   */
  reconnect(params?: PoolReconnectParams, options?: CallOptions): Promise<PoolReconnectResult>;
}

export interface AdminDoAccountCalls {
  /**
   * Ends the connections of an account at once; requests that use or wait for them answer CANCELLED. Its
   * sessions go on: to end those there is session.revoke.
   * @throws RpcError of kind NOT_FOUND
   */
  kick(params: AccountKickParams, options?: CallOptions): Promise<AccountKickResult>;
}

export interface AdminDoSocketCalls {
  /**
   * Closes a WebSocket; its requests are cancelled, but for writes with an idempotencyKey.
   * @throws RpcError of kind NOT_FOUND
   */
  kick(params: SocketKickParams, options?: CallOptions): Promise<SocketKickResult>;
}

export interface AdminDoSessionCalls {
  /**
   * Ends one session in all of its tokens, as session.close does.
   * @throws RpcError of kind NOT_FOUND
   */
  kick(params: SessionKickParams, options?: CallOptions): Promise<SessionKickResult>;
  /**
   * Ends all sessions of an application, or of one of its users, that were opened until now.
   * @throws RpcError of kind NOT_FOUND
   */
  revoke(params: SessionRevokeParams, options?: CallOptions): Promise<SessionRevokeResult>;
}
