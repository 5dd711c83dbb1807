// Written by `npm run docs` from src/protocol.

import type { CallOptions } from '../calls.js';
import type { RequestParams } from './models.js';

/** What request.slowest answers. */
export interface RequestSlowestResult {
  requests: {
    /** RFC 3339 in UTC. */
    answeredAt: string;
    /** unknown: the contract has no method of the name that was asked for. */
    method: string;
    /** The application. */
    tenant: string;
    /** null where the request concerned no account. */
    server: string | null;
    /** As it was given where the request was to open a session. */
    user: string | null;
    /** Milliseconds from the arrival of the request to its answer. */
    ms: number;
    /** ok, or the kind of the error. */
    outcome: string;
    /** server, validated, cache or coalesced; null where the answer does not tell. */
    source: string | null;
  }[];
}

/** Parameters of request.waiting. */
export interface RequestWaitingParams extends RequestParams {
  /** The application. */
  tenant: string;
  /** The IMAP server. */
  server: string;
  /** Login name. */
  user: string;
}

/** What request.waiting answers. */
export interface RequestWaitingResult {
  requests: {
    method: string;
    /** bulk never takes the last connection; watch has what no other request needs. */
    lane: 'interactive' | 'bulk' | 'watch';
    waitedMs: number;
  }[];
  /** How many wait. */
  total: number;
}

export interface AdminRequestsRequestCalls {
  /** The 20 slowest requests of applications that were answered in the last five minutes, the slowest first. */
  slowest(params?: RequestParams, options?: CallOptions): Promise<RequestSlowestResult>;
  /**
   * The requests of an account that wait for a connection, the longest waiting first; at most 100 of them.
   * @throws RpcError of kind NOT_FOUND
   */
  waiting(params: RequestWaitingParams, options?: CallOptions): Promise<RequestWaitingResult>;
}
