import { quotasOf } from '../imap/mailboxes/quota.js';
import type { brokerMethods } from '../protocol/methods/broker.js';
import { openRpcDocument } from '../protocol/openrpc.js';
import type { Handlers } from './context.js';
import { shareRead } from './support/shared.js';

/** Handlers of the methods in `src/protocol/methods/broker.ts`. */
export const brokerHandlers = {
  'quota.get': (context, params) =>
    shareRead(context, params, {}, async (connection) => {
      const roots = await quotasOf(connection, params.mailbox);
      return { supported: roots !== undefined, roots: roots ?? [] };
    }),
  'broker.ping': async ({ services: { version, epoch } }) => ({
    version,
    epoch,
    time: new Date().toISOString(),
  }),
  'rpc.discover': async ({ services }) => openRpcDocument(services.version),
} satisfies Pick<Handlers, keyof typeof brokerMethods>;
