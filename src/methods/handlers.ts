import { adminBrokerHandlers } from './admin-broker.js';
import { adminDoHandlers } from './admin-do.js';
import { adminRequestHandlers } from './admin-requests.js';
import { adminSeeHandlers } from './admin-see.js';
import { brokerHandlers } from './broker.js';
import type { Handlers } from './context.js';
import { mailboxHandlers } from './mailbox.js';
import { messageListHandlers } from './message-list.js';
import { messageReadHandlers } from './message-read.js';
import { messageSearchHandlers } from './message-search.js';
import { messageThreadsHandlers } from './message-threads.js';
import { messageWriteHandlers } from './message-write.js';
import { sessionHandlers } from './session.js';
import { watchHandlers } from './watch.js';

/** The handler of every method. */
export const handlers: Handlers = {
  ...sessionHandlers,
  ...mailboxHandlers,
  ...messageListHandlers,
  ...messageSearchHandlers,
  ...messageThreadsHandlers,
  ...messageReadHandlers,
  ...messageWriteHandlers,
  ...watchHandlers,
  ...brokerHandlers,
  ...adminSeeHandlers,
  ...adminBrokerHandlers,
  ...adminDoHandlers,
  ...adminRequestHandlers,
};
