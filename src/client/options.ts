import type { Hello, SessionExpiring, TraceEvent } from '../protocol/events.js';

/** How to reach a broker, and callbacks. What a callback throws is dropped: it must not end the socket of all calls. */
export interface ClientOptions {
  /** `ws://host:port`, `wss://host:port` or `unix:/path`; each may have a query. */
  url: string;
  /**
   * For several brokers behind one address: the number of shards that users are spread over, 1 to 1,024. The client opens
   * one socket for each shard in use, with `?shard=N` in its URL. Default: one socket for all users, without a shard.
   */
  shards?: number;
  /** The tenant's bearer token. None is needed on the admin socket, whose file permissions say who may open it. */
  token?: string | undefined;
  /** Milliseconds for a request that names no `timeoutMs`, the wait for a socket included. Default 30,000. */
  timeoutMs?: number;
  /** Requests that may be under way at once; more are refused with RATE_LIMITED. Default 1,000. */
  maxPending?: number;
  /** Called with each hello of a broker: at first, and after each reconnect, of each socket. */
  onHello?: (hello: Hello) => void;
  /** Called once when a session, or its access token, ends within five minutes: time for session.renew or refresh. */
  onExpiring?: (expiring: SessionExpiring) => void;
  /** Called with each request of a user that an operator traces by trace.start. A trace ends with its socket; onHello tells of the next socket. */
  onTrace?: (trace: TraceEvent) => void;
}
