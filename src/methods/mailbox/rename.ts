import { renameMailbox } from '../../imap/mailboxes.js';
import type { Handler } from '../context.js';
import { jobOf } from '../job.js';

const handle: Handler<'mailbox.rename'> = (context, { mailbox, newName }) =>
  context.account.run(jobOf(context, { effect: 'write' }), async (connection) => ({
    mailbox: await renameMailbox(connection, mailbox, newName),
  }));

export default handle;
