import type { MethodName } from '../protocol/contract.js';
import { ClientCore } from './core.js';
import { buildMethods, buildSessionMethods, type CallOptions, type Methods, type SessionMethods } from './methods.js';
import type { ClientOptions } from './options.js';
import { Shards } from './shards.js';
import type { Connect } from './transport.js';
import type { Watch, WatchOptions } from './watches/watch.js';

/** A client of a broker, or of several brokers behind one address. It connects at the first call, and again whenever the socket was lost. */
export type Client = Methods & {
  /** The same methods with the session of a user filled in. */
  withSession(session: string): SessionClient;
  /**
   * Calls back with what changes in folders, each change once, over lost sockets and restarts of the broker.
   * @throws RpcError when the watch cannot begin
   */
  watch(options: WatchOptions): Promise<Watch>;
  /** Rejects what is under way and leaves nothing open. */
  close(): void;
};

/** A client of one session. */
export type SessionClient = SessionMethods & {
  /** As `watch` of the client. */
  watch(options: Omit<WatchOptions, 'session'>): Promise<Watch>;
};

/** Makes a client on a transport; `createClient` of the package has Node's. */
export function clientOn(connect: Connect, options: ClientOptions): Client {
  const core = options.shards === undefined ? new ClientCore(connect, options) : new Shards(connect, options);
  const call = (method: MethodName, params: Record<string, unknown>, callOptions?: CallOptions) =>
    core.call(method, params, callOptions);
  const methods = buildMethods(call);
  return {
    ...methods,
    withSession: (session) => ({
      ...buildSessionMethods(session, call),
      watch: (watch) => core.watch({ ...watch, session }),
    }),
    // The area `watch` has methods as well: those for operators.
    watch: Object.assign((watch: WatchOptions) => core.watch(watch), methods.watch),
    close: () => core.close(),
  };
}
