import { canonicalName } from '../imap/wire/mailbox-names.js';
import { BrokerError } from '../protocol/errors.js';
import type { watchMethods } from '../protocol/methods/watch.js';
import { ALL_FOLDERS } from '../watch/types.js';
import type { Handlers } from './context.js';
import { WatchedAccount } from './support/session-account.js';

/** Handlers of the methods in `src/protocol/methods/watch.ts`. */
export const watchHandlers = {
  'watch.start': async ({ services, session, events, signal }, { mailboxes, fields, folders }) => {
    const { subscriber } = events;
    const account = new WatchedAccount(services, session);
    const watch = await services.hub.watch({
      account,
      subscriber,
      signal,
      mailboxes: namesOf(mailboxes, folders),
      fields,
    });
    events.whenSettled(watch.settle);
    const { topic, epoch, seq } = watch;
    return { topic, epoch, seq, mailboxes: watch.mailboxes.filter(isMailbox), folders };
  },
  'watch.stop': async ({ services, account, events }, { mailboxes, folders }) => {
    const names = mailboxes && [...folderNames(mailboxes), ...(folders ? [ALL_FOLDERS] : [])];
    const left = services.hub.unwatch(events.subscriber, account.key, names);
    return { mailboxes: left.filter((name) => name !== ALL_FOLDERS) };
  },
  'events.resume': async (context, { epoch: since, after, mailboxes, fields, folders }) => {
    const { services, session, events, signal } = context;
    const watch = await services.hub.watch({
      account: new WatchedAccount(services, session),
      subscriber: events.subscriber,
      signal,
      mailboxes: namesOf(mailboxes, folders),
      fields,
      resume: { epoch: since, after },
    });
    events.whenSettled(watch.settle);
    const { settle: _, ...answer } = watch;
    return { ...answer, mailboxes: answer.mailboxes.filter(isMailbox), folders };
  },
} satisfies Pick<Handlers, keyof typeof watchMethods>;

/** The names of folders as events have them, each once. */
function folderNames(mailboxes: readonly string[]): string[] {
  return [...new Set(mailboxes.map(canonicalName))];
}

/** What is watched. @throws BrokerError INVALID_PARAMS for nothing */
function namesOf(mailboxes: readonly string[], folders: boolean): string[] {
  const names = [...folderNames(mailboxes), ...(folders ? [ALL_FOLDERS] : [])];
  if (names.length > 0) return names;
  throw new BrokerError('INVALID_PARAMS', 'mailboxes: at least one, or folders: true.', { field: 'mailboxes' });
}

function isMailbox({ mailbox }: { mailbox: string }): boolean {
  return mailbox !== ALL_FOLDERS;
}
