import type { CallOptions } from './calls.js';
import { ClientCore } from './core.js';
import type { Areas, SessionAreas } from './generated/areas.js';
import type { MethodName } from './generated/methods.js';
import { buildMethods, buildSessionMethods } from './methods.js';
import { type ClientOptions, settingsOf } from './options.js';
import type { DefaultFields, Fields } from './rows.js';
import { Shards } from './shards.js';
import type { Connect } from './transport.js';
import type { SessionWatchOptions, Watch, WatchOptions } from './watches/watch.js';

/** Begins a watch. */
export type StartWatch = <const F extends Fields = DefaultFields>(options: WatchOptions<F>) => Promise<Watch>;

/** Begins a watch of a session. */
export type StartSessionWatch = <const F extends Fields = DefaultFields>(
  options: SessionWatchOptions<F>,
) => Promise<Watch>;

/** A client of a broker, or of several brokers behind one address. It connects at the first call, and again whenever the socket was lost. */
export interface Client extends Areas {
  /** The same methods with the session of a user filled in. */
  withSession(session: string): SessionClient;
  /**
   * Calls back with what changes in folders, each change once, over lost sockets and restarts of the broker.
   * @throws RpcError when the watch cannot begin
   */
  watch: StartWatch & Areas['watch'];
  /** Rejects what is under way and leaves nothing open. */
  close(): void;
}

/** A client of one session. */
export interface SessionClient extends SessionAreas {
  /**
   * Calls back with what changes in folders, each change once, over lost sockets and restarts of the broker.
   * @throws RpcError when the watch cannot begin
   */
  watch: StartSessionWatch;
}

/** Makes a client on a transport; `createClient` of the package has Node's. @throws TypeError for a wrong address */
export function clientOn(connect: Connect, options: ClientOptions): Client {
  const settings = settingsOf(options);
  const core = settings.shards === undefined ? new ClientCore(connect, settings) : new Shards(connect, settings);
  const call = (method: MethodName, params: Record<string, unknown>, callOptions?: CallOptions) =>
    core.call(method, params, callOptions);
  const methods = buildMethods(call);
  return {
    ...methods,
    withSession: (session) => ({
      ...buildSessionMethods(session, call),
      watch: (watch) => core.watch({ ...watch, session } as WatchOptions),
    }),
    // The area `watch` has methods as well: those for operators.
    watch: Object.assign((watch: unknown) => core.watch(watch as WatchOptions), methods.watch),
    close: () => core.close(),
  };
}
