import { subscribeMailbox } from '../../imap/mailboxes/mailboxes.js';
import type { Handler } from '../context.js';
import { write } from '../support/writing.js';

const handle: Handler<'mailbox.subscribe'> = (context, { mailbox }) =>
  write(context, { others: 'all' }, async (connection) => ({
    mailbox: await subscribeMailbox(connection, mailbox),
  }));

export default handle;
