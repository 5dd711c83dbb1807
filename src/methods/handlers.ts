import { adminBrokerHandlers } from './admin-broker.js';
import { adminDoHandlers } from './admin-do.js';
import { adminRequestHandlers } from './admin-requests.js';
import { adminSeeHandlers } from './admin-see.js';
import { brokerHandlers } from './broker.js';
import type { Handlers } from './context.js';
import { mailboxHandlers } from './mailbox.js';
import { messageReadHandlers } from './message-read.js';
import { messageWriteHandlers } from './message-write.js';
import { sessionHandlers } from './session.js';
import { watchHandlers } from './watch.js';

/** The handler of every method. */
export const handlers: Handlers = {
  ...sessionHandlers,
  ...mailboxHandlers,
  ...messageReadHandlers,
  ...messageWriteHandlers,
  ...watchHandlers,
  ...brokerHandlers,
  ...adminSeeHandlers,
  ...adminBrokerHandlers,
  ...adminDoHandlers,
  ...adminRequestHandlers,
};
