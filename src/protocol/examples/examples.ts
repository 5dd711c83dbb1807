import type { MethodName } from '../contract.js';
import { adminSeeExamples } from './admin.js';
import { adminBrokerExamples, adminDoExamples, adminRequestExamples } from './admin-do.js';
import type { Examples } from './example.js';
import { mailboxExamples } from './mailbox.js';
import { messageReadExamples, messageWriteExamples } from './message.js';
import { messageListExamples, messageSearchExamples, messageThreadsExamples } from './message-lists.js';
import { brokerExamples, sessionExamples } from './session.js';
import { watchExamples } from './watch.js';

/** An example of each method, for the documents; the compiler and a test hold them to the contract. */
export const examples: Examples<MethodName> = {
  ...sessionExamples,
  ...mailboxExamples,
  ...messageListExamples,
  ...messageSearchExamples,
  ...messageThreadsExamples,
  ...messageReadExamples,
  ...messageWriteExamples,
  ...watchExamples,
  ...brokerExamples,
  ...adminSeeExamples,
  ...adminBrokerExamples,
  ...adminDoExamples,
  ...adminRequestExamples,
};
