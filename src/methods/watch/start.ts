import type { Handler } from '../context.js';
import { WatchedAccount } from '../support/session-account.js';
import { namesOf } from './names-of.js';

const handle: Handler<'watch.start'> = async ({ services, session, events, signal }, { mailboxes }) => {
  const { subscriber } = events;
  const account = new WatchedAccount(services, session);
  const watch = await services.hub.watch({ account, subscriber, signal, mailboxes: namesOf(mailboxes) });
  events.whenSettled(watch.settle);
  const { topic, epoch, seq, mailboxes: watched } = watch;
  return { topic, epoch, seq, mailboxes: watched };
};

export default handle;
