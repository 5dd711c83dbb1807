import type { Handler } from '../context.js';
import { namesOf } from './names-of.js';

const handle: Handler<'watch.start'> = async ({ services, account, events, signal }, { mailboxes }) => {
  const { subscriber } = events;
  const watch = await services.hub.watch({ account, subscriber, signal, mailboxes: namesOf(mailboxes) });
  events.whenSettled(watch.settle);
  const { topic, epoch, seq, mailboxes: watched } = watch;
  return { topic, epoch, seq, mailboxes: watched };
};

export default handle;
