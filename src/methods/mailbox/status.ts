import { statusOf } from '../../imap/mailboxes/mailbox-status.js';
import { canonicalName } from '../../imap/wire/mailbox-names.js';
import type { Handler } from '../context.js';
import { shared } from '../support/shared.js';

const handle: Handler<'mailbox.status'> = (context, params) =>
  shared(context, params, {}, async (connection) => {
    const { mailboxes } = params;
    const counts = await statusOf(connection, mailboxes);
    const statuses = mailboxes.map((mailbox) => ({ mailbox, counts: counts.get(canonicalName(mailbox)) ?? null }));
    return { statuses };
  });

export default handle;
