import type { z } from 'zod';
import type { MethodDefinition } from './define.js';
import { adminBrokerMethods } from './methods/admin-broker.js';
import { adminDoMethods } from './methods/admin-do.js';
import { adminRequestMethods } from './methods/admin-requests.js';
import { adminSeeMethods } from './methods/admin-see.js';
import { brokerMethods } from './methods/broker.js';
import { mailboxMethods } from './methods/mailbox.js';
import { messageListMethods } from './methods/message-list.js';
import { messageReadMethods } from './methods/message-read.js';
import { messageSearchMethods } from './methods/message-search.js';
import { messageThreadsMethods } from './methods/message-threads.js';
import { messageWriteMethods } from './methods/message-write.js';
import { sessionMethods } from './methods/session.js';
import { watchMethods } from './methods/watch.js';

/** Every method of the protocol, by name. */
export const contract = {
  ...sessionMethods,
  ...mailboxMethods,
  ...messageListMethods,
  ...messageSearchMethods,
  ...messageThreadsMethods,
  ...messageReadMethods,
  ...messageWriteMethods,
  ...watchMethods,
  ...brokerMethods,
  ...adminSeeMethods,
  ...adminBrokerMethods,
  ...adminDoMethods,
  ...adminRequestMethods,
} as const satisfies Record<string, MethodDefinition>;

export type Contract = typeof contract;
export type MethodName = keyof Contract;

/** Whether the contract has a method of this name. */
export function isMethod(name: string): name is MethodName {
  return Object.hasOwn(contract, name);
}

/** Params as a caller writes them: defaults may be left out. */
export type ParamsIn<M extends MethodName> = z.input<Contract[M]['params']>;
/** Params as a handler reads them: defaults filled in. */
export type Params<M extends MethodName> = z.output<Contract[M]['params']>;
/** What a method may answer: its result, or that nothing has changed since `ifState`. */
export type Answer<M extends MethodName> = z.output<Contract[M]['result']>;
/** The result of a method, in full. */
export type Result<M extends MethodName> = Exclude<Answer<M>, { unchanged: true }>;

/** The kinds of errors that every method can answer. */
export const commonErrors = [
  'INVALID_PARAMS',
  'INTERNAL',
  'CANCELLED',
  'RATE_LIMITED',
  'DEADLINE',
  'DRAINING',
] as const;

/** The kinds that every method that asks the IMAP server for a session can answer beside {@link commonErrors}. */
export const upstreamErrors = [
  'IMAP_AUTH_FAILED',
  'IMAP_TOKEN_EXPIRED',
  'POOL_EXHAUSTED',
  'UPSTREAM_UNAVAILABLE',
  'CONNECTION_LOST',
] as const;
