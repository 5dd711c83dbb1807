import { renameMailbox } from '../../imap/mailboxes/mailboxes.js';
import type { Handler } from '../context.js';
import { write } from '../support/writing.js';

const handle: Handler<'mailbox.rename'> = (context, { mailbox, newName }) =>
  write(context, { others: 'all' }, async (connection) => ({
    mailbox: await renameMailbox(connection, mailbox, newName),
  }));

export default handle;
