// Written by `npm run docs` from src/protocol.

import type { AdminBrokerBrokerCalls, AdminBrokerConfigCalls, AdminBrokerTraceCalls } from './admin-broker.js';
import type {
  AdminDoAccountCalls,
  AdminDoBrokerCalls,
  AdminDoKeysCalls,
  AdminDoLogCalls,
  AdminDoPoolCalls,
  AdminDoServerCalls,
  AdminDoSessionCalls,
  AdminDoSocketCalls,
} from './admin-do.js';
import type { AdminRequestsRequestCalls } from './admin-requests.js';
import type {
  AdminSeeAccountCalls,
  AdminSeeConnectionCalls,
  AdminSeeServerCalls,
  AdminSeeSessionCalls,
  AdminSeeSocketCalls,
  AdminSeeStreamCalls,
  AdminSeeWatchCalls,
} from './admin-see.js';
import type { BrokerCalls, BrokerQuotaCalls, BrokerQuotaCallsInSession, BrokerRpcCalls } from './broker.js';
import type { MailboxCalls, MailboxCallsInSession } from './mailbox-calls.js';
import type { MessageListCalls, MessageListCallsInSession } from './message-list.js';
import type { MessageReadCalls, MessageReadCallsInSession } from './message-read.js';
import type { MessageSearchCalls, MessageSearchCallsInSession } from './message-search.js';
import type { MessageThreadsCalls, MessageThreadsCallsInSession } from './message-threads.js';
import type { MessageWriteCalls, MessageWriteCallsInSession } from './message-write.js';
import type { SessionCalls, SessionCallsInSession } from './session.js';

/** Every method but those of watches. */
export interface Areas {
  /** Sessions of users. */
  session: SessionCalls & AdminSeeSessionCalls & AdminDoSessionCalls;
  /** Folders. */
  mailbox: MailboxCalls;
  /** Messages. */
  message: MessageListCalls & MessageSearchCalls & MessageThreadsCalls & MessageReadCalls & MessageWriteCalls;
  /** Quotas. */
  quota: BrokerQuotaCalls;
  /** The broker itself. */
  broker: BrokerCalls & AdminBrokerBrokerCalls & AdminDoBrokerCalls;
  /** The contract. */
  rpc: BrokerRpcCalls;
  /** For operators. */
  server: AdminSeeServerCalls & AdminDoServerCalls;
  /** For operators. */
  account: AdminSeeAccountCalls & AdminDoAccountCalls;
  /** For operators. */
  connection: AdminSeeConnectionCalls;
  /** For operators. */
  watch: AdminSeeWatchCalls;
  /** For operators. */
  socket: AdminSeeSocketCalls & AdminDoSocketCalls;
  /** For operators. */
  stream: AdminSeeStreamCalls;
  /** For operators. */
  config: AdminBrokerConfigCalls;
  /** For operators. */
  trace: AdminBrokerTraceCalls;
  /** For operators. */
  log: AdminDoLogCalls;
  /** For operators. */
  keys: AdminDoKeysCalls;
  /** For operators. */
  pool: AdminDoPoolCalls;
  /** For operators. */
  request: AdminRequestsRequestCalls;
}

/** The methods that take a session, with the session filled in. */
export interface SessionAreas {
  /** Sessions of users. */
  session: SessionCallsInSession;
  /** Folders. */
  mailbox: MailboxCallsInSession;
  /** Messages. */
  message: MessageListCallsInSession &
    MessageSearchCallsInSession &
    MessageThreadsCallsInSession &
    MessageReadCallsInSession &
    MessageWriteCallsInSession;
  /** Quotas. */
  quota: BrokerQuotaCallsInSession;
}
