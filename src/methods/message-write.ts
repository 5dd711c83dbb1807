import { requireGmail, storeLabels } from '../imap/messages/labels.js';
import { expunge, storeFlags } from '../imap/messages/store.js';
import { canonicalName } from '../imap/wire/mailbox-names.js';
import { BrokerError } from '../protocol/errors.js';
import type { messageWriteMethods } from '../protocol/methods/message-write.js';
import type { Handlers } from './context.js';
import { changing, existingOf, findingAll } from './message/on-existing.js';
import { copy, move } from './message/transferring.js';
import { appendToFolder } from './message-append.js';
import { askedFor } from './support/canonical.js';
import { idempotently, outcomeUnknown } from './support/idempotently.js';

/** Handlers of the methods in `src/protocol/methods/message-write.ts`. */
export const messageWriteHandlers = {
  'message.flag': async (context, params) => {
    const { action, flags } = params;
    if (flags.length === 0 && action !== 'set') refuseFlags(`flags: nothing to ${action}.`);
    if (flags.some((flag) => flag.toLowerCase() === '\\recent')) refuseFlags('flags: only the server sets \\Recent.');
    const uids = [...new Set(params.uids)];
    const stored = new Map<number, string[]>();
    await changing(context, params, (connection) =>
      findingAll(connection, { ...params, uids }, async (some) => {
        const found = await storeFlags(connection, some, action, flags);
        for (const [uid, now] of found) stored.set(uid, now);
        return found.keys();
      }),
    );
    return {
      messages: uids.flatMap((uid) => {
        const now = stored.get(uid);
        return now ? [{ uid, flags: now }] : [];
      }),
      notFound: uids.filter((uid) => !stored.has(uid)),
    };
  },
  'message.label': async (context, params) => {
    const { add, remove } = params;
    requireLabels(add, remove);
    const uids = [...new Set(params.uids)];
    const labelled = await changing(context, { ...params, elsewhere: 'all' }, async (connection) => {
      requireGmail(connection);
      const found = await existingOf(context, connection, { ...params, uids });
      const now = await storeLabels(connection, found, { add, remove });
      return new Map(found.map((uid) => [uid, now.get(uid) ?? null]));
    });
    return {
      messages: [...labelled].map(([uid, labels]) => ({ uid, labels })),
      notFound: uids.filter((uid) => !labelled.has(uid)),
    };
  },
  'message.copy': (context, params) =>
    idempotently(context, params.idempotencyKey, askedFor(params), (takenOver) => {
      if (takenOver) throw outcomeUnknown();
      return copy(context, params);
    }),
  'message.move': async (context, params) => {
    const { destination, mailbox } = params;
    if (canonicalName(destination) === canonicalName(mailbox)) {
      throw new BrokerError('INVALID_PARAMS', 'destination: the messages are in this folder already.', {
        field: 'destination',
      });
    }
    return idempotently(context, params.idempotencyKey, askedFor(params), (takenOver) => {
      if (takenOver) throw outcomeUnknown();
      return move(context, params);
    });
  },
  'message.delete': async (context, params) => {
    const uids = [...new Set(params.uids)];
    const deleted = await changing(context, params, async (connection) => {
      const found = await existingOf(context, connection, { ...params, uids });
      await expunge(connection, found);
      return found;
    });
    const gone = new Set(deleted);
    return { deleted, notFound: uids.filter((uid) => !gone.has(uid)) };
  },
  'message.append': appendToFolder,
} satisfies Pick<Handlers, keyof typeof messageWriteMethods>;

function refuseFlags(message: string): never {
  throw new BrokerError('INVALID_PARAMS', message, { field: 'flags' });
}

function requireLabels(add: readonly string[], remove: readonly string[]): void {
  if (add.length + remove.length === 0) throw new BrokerError('INVALID_PARAMS', 'add: no label.', { field: 'add' });
  const added = new Set(add.map((name) => name.toLowerCase()));
  if (remove.some((name) => added.has(name.toLowerCase()))) {
    throw new BrokerError('INVALID_PARAMS', 'remove: the same label is added.', { field: 'remove' });
  }
}
