import { subscribeMailbox } from '../../imap/mailboxes.js';
import type { Handler } from '../context.js';
import { jobOf } from '../job.js';

const handle: Handler<'mailbox.subscribe'> = (context, { mailbox }) =>
  context.account.run(jobOf(context, { effect: 'write' }), async (connection) => ({
    mailbox: await subscribeMailbox(connection, mailbox),
  }));

export default handle;
