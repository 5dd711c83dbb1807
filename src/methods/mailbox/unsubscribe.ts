import { unsubscribeMailbox } from '../../imap/mailboxes.js';
import type { Handler } from '../context.js';
import { jobOf } from '../job.js';

const handle: Handler<'mailbox.unsubscribe'> = (context, { mailbox }) =>
  context.account.run(jobOf(context, { effect: 'write' }), async (connection) => {
    await unsubscribeMailbox(connection, mailbox);
    return { mailbox };
  });

export default handle;
