import type { messageSearchMethods } from '../protocol/methods/message-search.js';
import type { Handlers } from './context.js';
import { searchMessages } from './message/search/search.js';

/** Handlers of the methods in `src/protocol/methods/message-search.ts`. */
export const messageSearchHandlers = {
  'message.search': searchMessages,
} satisfies Pick<Handlers, keyof typeof messageSearchMethods>;
