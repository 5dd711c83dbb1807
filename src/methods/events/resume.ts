import type { Handler } from '../context.js';
import { namesOf } from '../watch/names-of.js';

const handle: Handler<'events.resume'> = async (context, { epoch: since, after, mailboxes }) => {
  const { services, account, events, signal } = context;
  const watch = await services.hub.watch({
    account,
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
