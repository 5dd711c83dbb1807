// Written by `npm run docs` from src/protocol.

import type { CallOptions } from '../calls.js';
import type { RequestParams } from './models.js';

/** What broker.status answers. */
export interface BrokerStatusResult {
  /** What operators call this broker: `cluster.name`, else the name of its host. */
  name: string;
  version: string;
  epoch: string;
  /** RFC 3339 in UTC. */
  startedAt: string;
  uptimeMs: number;
  state: 'running' | 'draining';
  /** What is paused now; `{}` is everything. */
  paused: {
    /** Name of an application; without it those of all. */
    tenant?: string;
    /** Name of a server in the configuration; without it those on all. */
    server?: string;
    /** Login name; without it those of all. */
    user?: string;
  }[];
  pid: number;
  /** Version of Node.js. */
  node: string;
  /** Memory of the process. */
  residentBytes: number;
  /**
   * Milliseconds that the event loop comes too late: 99th percentile of fifteen seconds, the worst of the last
   * minute.
   */
  eventLoopLagMs: number;
  requests: {
    /** Unanswered requests. */
    running: number;
    /** Those of them that wait for a connection; several that share their work count once. */
    waiting: number;
    /** Answered to applications in a second, over the last minute. */
    perSecond: number;
    /**
     * Milliseconds from arrival to answer that 50, 95 and 99 % of the last minute did not exceed, rounded up by 9
     * % at most; null where there were none. Those turned away with RATE_LIMITED or DRAINING do not count.
     */
    latencyMs: {
      p50: number;
      p95: number;
      p99: number;
    } | null;
  };
  /** Errors that applications got, by kind and application, the most frequent first. */
  errors: {
    kind: string;
    /** The application that got them. */
    tenant: string;
    /** In the last five minutes. */
    count: number;
    /** In a second, over the last minute. */
    perSecond: number;
  }[];
  /** Whether the store that several brokers share can be reached; null where there is no `[shared]`. */
  shared: 'up' | 'down' | null;
  caps: {
    name: 'sockets' | 'connections' | 'sessions' | 'accounts' | 'view bytes' | 'streams' | 'watches';
    used: number;
    /** null: there is no limit for the broker as a whole. */
    limit: number | null;
  }[];
  servers: {
    name: string;
    /**
     * reachable: it answered the last login. failing: it did not, and the next request tries it again. backing
     * off: it was not reached several times, so that no login is tried until `retryAfterMs` is over; then one
     * login finds out whether it works again. paused: broker.pause keeps all accounts from it. untried: no login
     * has been tried yet.
     */
    state: 'reachable' | 'failing' | 'backing off' | 'paused' | 'untried';
  }[];
}

/** What broker.history answers. */
export interface BrokerHistoryResult {
  /** Milliseconds of a step. */
  stepMs: number;
  /** When the last step ended; the one before ended `stepMs` earlier. null before the first has ended. */
  endedAt: string | null;
  columns: {
    /** Answered to applications in a second. */
    requestsPerSecond: (number | null)[];
    /** Those of them that were answered with an error. */
    failedPerSecond: (number | null)[];
    /** Milliseconds that half of them did not exceed, as in broker.status. */
    p50Ms: (number | null)[];
    p95Ms: (number | null)[];
    p99Ms: (number | null)[];
    /** Unanswered requests when the step ended. */
    running: (number | null)[];
    /** Those of them that waited for a connection. */
    waiting: (number | null)[];
    /** IMAP connections at work when the step ended. */
    busy: (number | null)[];
    /** IMAP connections that were idle. */
    idle: (number | null)[];
    /** IMAP connections that watches had. */
    watching: (number | null)[];
    /** Accounts in use. */
    accounts: (number | null)[];
    /** Commands that IMAP servers answered in a second. */
    commandsPerSecond: (number | null)[];
    /** Logins at IMAP servers in a second, those that failed included. */
    loginsPerSecond: (number | null)[];
    /** Milliseconds that the event loop came too late: 99th percentile. */
    eventLoopLagMs: (number | null)[];
    /** Memory of the process. */
    residentBytes: (number | null)[];
  };
}

/** What config.get answers. */
export interface ConfigGetResult {
  settings: {
    /** As in the configuration file. */
    key: string;
    /** Of token_hashes only how many there are. */
    value: string | number | boolean | string[];
    /** operator: log.level set it, until a reload or for a while. */
    source: 'default' | 'file' | 'environment' | 'flag' | 'operator';
  }[];
}

/** Parameters of trace.start. */
export interface TraceStartParams extends RequestParams {
  /** Those of this application alone. */
  tenant?: string | undefined;
  /** The IMAP server. */
  server: string;
  /** Login name. */
  user: string;
}

/** What trace.start answers. */
export interface TraceStartResult {
  /** Id of the trace. */
  trace: string;
}

/** Parameters of trace.stop. */
export interface TraceStopParams extends RequestParams {
  /** As trace.start answered it. */
  trace: string;
}

/** What trace.stop answers. */
export interface TraceStopResult {
  stopped: true;
}

export interface AdminBrokerBrokerCalls {
  /** How the broker is: its load, its caps and how near they are, and the errors of the last minutes. */
  status(params?: RequestParams, options?: CallOptions): Promise<BrokerStatusResult>;
  /**
   * How the broker was during the last hour: columns of figures, one for each step, the oldest first. null where
   * there is no figure: of a step without requests, or one in which the process did not run.
   */
  history(params?: RequestParams, options?: CallOptions): Promise<BrokerHistoryResult>;
}

export interface AdminBrokerConfigCalls {
  /** The configuration that holds, key by key, and where each value comes from. Secrets are not in it. */
  get(params?: RequestParams, options?: CallOptions): Promise<ConfigGetResult>;
}

export interface AdminBrokerTraceCalls {
  /**
   * Has this socket told of each answered request of a user, by `trace`, until trace.stop or the end of the
   * socket.
   * @throws RpcError of kind NOT_FOUND
   */
  start(params: TraceStartParams, options?: CallOptions): Promise<TraceStartResult>;
  /**
   * Ends a trace of this socket.
   * @throws RpcError of kind NOT_FOUND
   */
  stop(params: TraceStopParams, options?: CallOptions): Promise<TraceStopResult>;
}
