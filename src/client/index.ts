import { type Client, clientOn } from './client.js';
import type { ClientOptions } from './options.js';
import { connectNode } from './transport-node.js';

export type { MethodName, Params, ParamsIn, Result } from '../protocol/contract.js';
export type { Hello, SessionExpiring, TraceEvent, WatchEvent } from '../protocol/events.js';
export { type Bodies, htmlOf, textOf } from './bodies.js';
export type { Client, SessionClient } from './client.js';
export * from './errors.js';
export type { AppendContent, CallOptions, CallParams, CallResult, SessionMethods } from './methods.js';
export type { ClientOptions } from './options.js';
export type { Watch, WatchOptions } from './watches/watch.js';

/**
 * Makes a client of a broker. It connects at the first call; a lost socket is opened again with back-off. Reads that
 * were under way are sent again, twice at most; writes only where a broker that stops says that nothing was executed.
 */
export function createClient(options: ClientOptions): Client {
  return clientOn(connectNode, options);
}
