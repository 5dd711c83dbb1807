// Written by `npm run docs` from src/protocol.

import type { CallOptions, InSession } from '../calls.js';
import type { Explanation, Meta, ReadParams, RequestParams } from './models.js';

/** Parameters of quota.get. */
export interface QuotaGetParams extends ReadParams {
  /** Full folder name in Unicode, levels joined by the delimiter of mailbox.list. Default: `"INBOX"`. */
  mailbox?: string | undefined;
}

/** What quota.get answers. */
export interface QuotaGetResult {
  /** false: the server has no QUOTA; roots is empty then. */
  supported: boolean;
  roots: {
    /** The server's name of the root, often empty; cut at 200 characters. */
    root: string;
    /** Bytes; null where the root does not count them. */
    storage: {
      used: number;
      /** null: no limit. */
      limit: number | null;
    } | null;
    /** null where the root does not count them. */
    messages: {
      used: number;
      /** null: no limit. */
      limit: number | null;
    } | null;
    /** Other resources, such as MAILBOX, in the server's units. */
    others: {
      used: number;
      /** null: no limit. */
      limit: number | null;
      name: string;
    }[];
  }[];
  meta: Meta;
  /** Only where it was asked for. */
  explain?: Explanation;
}

/** What broker.ping answers. */
export interface BrokerPingResult {
  version: string;
  epoch: string;
  /** RFC 3339 in UTC. */
  time: string;
}

/** What rpc.discover answers. */
export type RpcDiscoverResult = Record<string, unknown>;

export interface BrokerQuotaCalls {
  /**
   * The quotas of a folder (RFC 9208), one for each of its roots, at most 20.
   * @throws RpcError of kind NOT_FOUND, IMAP_NO
   */
  get(params: InSession<QuotaGetParams>, options?: CallOptions): Promise<QuotaGetResult>;
}

export interface BrokerCalls {
  /** Answers at once; asks no IMAP server. */
  ping(params?: RequestParams, options?: CallOptions): Promise<BrokerPingResult>;
}

export interface BrokerRpcCalls {
  /** The OpenRPC document of this contract. */
  discover(params?: RequestParams, options?: CallOptions): Promise<RpcDiscoverResult>;
}

export interface BrokerQuotaCallsInSession {
  /**
   * The quotas of a folder (RFC 9208), one for each of its roots, at most 20.
   * @throws RpcError of kind NOT_FOUND, IMAP_NO
   */
  get(params?: QuotaGetParams, options?: CallOptions): Promise<QuotaGetResult>;
}
