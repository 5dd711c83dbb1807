import { unsubscribeMailbox } from '../../imap/mailboxes/mailboxes.js';
import type { Handler } from '../context.js';
import { write } from '../support/writing.js';

const handle: Handler<'mailbox.unsubscribe'> = (context, { mailbox }) =>
  write(context, { others: 'all' }, async (connection) => {
    await unsubscribeMailbox(connection, mailbox);
    return { mailbox };
  });

export default handle;
