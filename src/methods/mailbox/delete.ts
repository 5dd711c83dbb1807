import { deleteMailbox } from '../../imap/mailboxes.js';
import type { Handler } from '../context.js';
import { jobOf } from '../job.js';

const handle: Handler<'mailbox.delete'> = (context, { mailbox }) =>
  context.account.run(jobOf(context, { effect: 'write' }), async (connection) => {
    await deleteMailbox(connection, mailbox);
    return { mailbox };
  });

export default handle;
