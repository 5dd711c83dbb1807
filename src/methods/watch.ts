import { canonicalName } from '../imap/wire/mailbox-names.js';
import type { watchMethods } from '../protocol/methods/watch.js';
import type { Handlers } from './context.js';
import { WatchedAccount } from './support/session-account.js';

/** Handlers of the methods in `src/protocol/methods/watch.ts`. */
export const watchHandlers = {
  'watch.start': async ({ services, session, events, signal }, { mailboxes, fields }) => {
    const { subscriber } = events;
    const account = new WatchedAccount(services, session);
    const watch = await services.hub.watch({ account, subscriber, signal, mailboxes: folderNames(mailboxes), fields });
    events.whenSettled(watch.settle);
    const { topic, epoch, seq, mailboxes: watched } = watch;
    return { topic, epoch, seq, mailboxes: watched };
  },
  'watch.stop': async ({ services, account, events }, { mailboxes }) => ({
    mailboxes: services.hub.unwatch(events.subscriber, account.key, mailboxes && folderNames(mailboxes)),
  }),
  'events.resume': async (context, { epoch: since, after, mailboxes, fields }) => {
    const { services, session, events, signal } = context;
    const watch = await services.hub.watch({
      account: new WatchedAccount(services, session),
      subscriber: events.subscriber,
      signal,
      mailboxes: folderNames(mailboxes),
      fields,
      resume: { epoch: since, after },
    });
    events.whenSettled(watch.settle);
    const { settle: _, ...answer } = watch;
    return answer;
  },
} satisfies Pick<Handlers, keyof typeof watchMethods>;

/** The names of folders as events have them, each once. */
function folderNames(mailboxes: readonly string[]): string[] {
  return [...new Set(mailboxes.map(canonicalName))];
}
