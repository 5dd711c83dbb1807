import type { messageThreadsMethods } from '../protocol/methods/message-threads.js';
import type { Handlers } from './context.js';
import { conversationOf } from './message/threads/thread.js';
import { listThreads } from './message/threads/threads.js';

/** Handlers of the methods in `src/protocol/methods/message-threads.ts`. */
export const messageThreadsHandlers = {
  'message.threads': listThreads,
  'message.thread': conversationOf,
} satisfies Pick<Handlers, keyof typeof messageThreadsMethods>;
