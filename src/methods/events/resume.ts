import type { Handler } from '../context.js';
import { WatchedAccount } from '../support/session-account.js';
import { namesOf } from '../watch/names-of.js';

const handle: Handler<'events.resume'> = async (context, { epoch: since, after, mailboxes }) => {
  const { services, session, events, signal } = context;
  const watch = await services.hub.watch({
    account: new WatchedAccount(services, session),
    subscriber: events.subscriber,
    signal,
    mailboxes: namesOf(mailboxes),
    resume: { epoch: since, after },
  });
  events.whenSettled(watch.settle);
  const { settle: _, ...answer } = watch;
  return answer;
};

export default handle;
