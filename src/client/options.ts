import { checkedToken, checkedUrl } from './address.js';
import type { Hello, SessionExpiring, TraceEvent } from './generated/events.js';

/** How to reach a broker, and callbacks. What a callback throws is dropped: it must not end the socket of all calls. */
export interface ClientOptions {
  /**
   * `ws://host:port`, `wss://host:port` or `unix:/path`; each may have a query. Default: IMAP_BROKER_URL of the
   * environment.
   */
  url?: string | undefined;
  /**
   * The tenant's bearer token. Default: IMAP_BROKER_TOKEN of the environment. null: none is sent; the admin socket needs
   * none, for its file permissions say who may open it.
   */
  token?: string | null | undefined;
  /**
   * Milliseconds after which a call rejects with UNREACHABLE because there is no socket to a broker. While a broker that
   * was there is away for less than half a minute, and while systemd holds its Unix socket, calls wait for it as long as
   * their `timeoutMs` lets them. Default 5,000, and 10,000 where a server takes connections and says nothing, or
   * cuts them.
   */
  connectTimeoutMs?: number;
  /** Milliseconds for a request that names no `timeoutMs`, the wait for a socket included. Default 30,000. */
  timeoutMs?: number;
  /**
   * For several brokers behind one address: the number of shards that users are spread over, 1 to 1,024. The client opens
   * one socket for each shard in use, with `?shard=N` in its URL. Default: one socket for all users, without a shard.
   */
  shards?: number;
  /** Requests that may be under way at once; more are refused with RATE_LIMITED. Default 1,000. */
  maxPending?: number;
  /** Called with each hello of a broker: at first, and after each reconnect, of each socket. */
  onHello?: (hello: Hello) => void;
  /** Called once when a session, or its access token, ends within five minutes: time for session.renew or refresh. */
  onExpiring?: (expiring: SessionExpiring) => void;
  /**
   * Called with each request of a user that an operator traces by trace.start. A trace ends with its socket; onHello
   * tells of the next socket.
   */
  onTrace?: (trace: TraceEvent) => void;
}

/** Options whose address and token were looked at. */
export interface Settings extends Omit<ClientOptions, 'url' | 'token'> {
  url: string;
  token: string | undefined;
}

/** Fills in what the environment says. @throws TypeError with a sentence that says what is wrong */
export function settingsOf(options: ClientOptions): Settings {
  if (typeof options !== 'object' || options === null) {
    throw new TypeError("createClient takes an object such as { url: 'ws://127.0.0.1:7143' }.");
  }
  const { IMAP_BROKER_URL, IMAP_BROKER_TOKEN } = environment();
  const { url, token, ...rest } = options;
  const { connectTimeoutMs = 1 } = rest;
  if (typeof connectTimeoutMs !== 'number' || !(connectTimeoutMs > 0)) {
    throw new TypeError('connectTimeoutMs must be a number of milliseconds, above 0.');
  }
  if (url === undefined && !IMAP_BROKER_URL) {
    throw new TypeError('There is no address of a broker: give createClient a url, or set IMAP_BROKER_URL.');
  }
  const address = url === undefined ? checkedUrl(IMAP_BROKER_URL, 'IMAP_BROKER_URL') : checkedUrl(url, 'url');
  if (token === null) return { ...rest, url: address, token: undefined };
  if (token !== undefined) return { ...rest, url: address, token: checkedToken(token, 'token') };
  return { ...rest, url: address, token: IMAP_BROKER_TOKEN && checkedToken(IMAP_BROKER_TOKEN, 'IMAP_BROKER_TOKEN') };
}

/** The environment, where the platform has one. */
function environment(): Record<string, string | undefined> {
  return (globalThis as { process?: { env?: Record<string, string | undefined> } }).process?.env ?? {};
}
