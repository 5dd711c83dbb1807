import { createMailbox } from '../../imap/mailboxes/mailboxes.js';
import type { Handler } from '../context.js';
import { write } from '../support/writing.js';

const handle: Handler<'mailbox.create'> = (context, { mailbox, subscribe }) =>
  write(context, { others: 'all' }, async (connection) => {
    const { name, created } = await createMailbox(connection, mailbox, { subscribe });
    return { mailbox: name, created };
  });

export default handle;
