import { type Client, clientOn } from './client.js';
import type { ClientOptions } from './options.js';
import { connectNode } from './transport-node.js';

export { type Bodies, htmlOf, textOf } from './bodies.js';
export type { AppendBytes, AppendStream, Body, CallOptions } from './calls.js';
export type { Client, SessionClient } from './client.js';
export * from './errors.js';
export type * from './generated/admin-broker.js';
export type * from './generated/admin-do.js';
export type * from './generated/admin-requests.js';
export type * from './generated/admin-see.js';
export type * from './generated/broker.js';
export type { ParamsIn, Result } from './generated/by-name.js';
export type * from './generated/criteria.js';
export type * from './generated/events.js';
export type * from './generated/mailbox.js';
export type * from './generated/mailbox-calls.js';
export type * from './generated/message-list.js';
export type * from './generated/message-read.js';
export type * from './generated/message-search.js';
export type * from './generated/message-threads.js';
export type * from './generated/message-write.js';
export type { MethodName } from './generated/methods.js';
export type * from './generated/models.js';
export type * from './generated/session.js';
export type * from './generated/watch.js';
export type { ClientOptions } from './options.js';
export type { DefaultFields, Fields, Row } from './rows.js';
export type { SessionWatchOptions, Watch, WatchOptions } from './watches/watch.js';

/**
 * Makes a client of a broker. It connects at the first call; a lost socket is opened again with back-off. Reads that
 * were under way are sent again, twice at most; writes only where a broker that stops says that nothing was executed.
 * @throws TypeError with a sentence that says what is wrong with the address or the token
 */
export function createClient(options: ClientOptions = {}): Client {
  return clientOn(connectNode, options);
}
