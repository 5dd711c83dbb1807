import type { Handler } from '../context.js';
import { namesOf } from './names-of.js';

const handle: Handler<'watch.stop'> = async ({ services, account, events }, { mailboxes }) => ({
  mailboxes: services.hub.unwatch(events.subscriber, account.key, mailboxes && namesOf(mailboxes)),
});

export default handle;
