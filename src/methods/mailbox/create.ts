import { createMailbox } from '../../imap/mailboxes.js';
import type { Handler } from '../context.js';
import { jobOf } from '../job.js';

const handle: Handler<'mailbox.create'> = (context, { mailbox, subscribe }) =>
  context.account.run(jobOf(context, { effect: 'write' }), async (connection) => {
    const { name, created } = await createMailbox(connection, mailbox, { subscribe });
    return { mailbox: name, created };
  });

export default handle;
