import { deleteMailbox } from '../../imap/mailboxes/mailboxes.js';
import type { Handler } from '../context.js';
import { write } from '../support/writing.js';

const handle: Handler<'mailbox.delete'> = (context, { mailbox }) =>
  write(context, { others: 'all' }, async (connection) => {
    await deleteMailbox(connection, mailbox);
    return { mailbox };
  });

export default handle;
