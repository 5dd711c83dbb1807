import type { messageListMethods } from '../protocol/methods/message-list.js';
import type { Handlers } from './context.js';
import { listMessages } from './message/list.js';

/** Handlers of the methods in `src/protocol/methods/message-list.ts`. */
export const messageListHandlers = {
  'message.list': listMessages,
} satisfies Pick<Handlers, keyof typeof messageListMethods>;
