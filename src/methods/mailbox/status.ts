import { canonicalName } from '../../imap/mailbox-names.js';
import { statusOf } from '../../imap/mailbox-status.js';
import type { Handler } from '../context.js';
import { jobOf } from '../job.js';
import { fromServer } from '../meta.js';

const handle: Handler<'mailbox.status'> = (context, { mailboxes }) =>
  context.account.run(jobOf(context, { effect: 'read' }), async (connection) => {
    const counts = await statusOf(connection, mailboxes);
    const statuses = mailboxes.map((mailbox) => ({ mailbox, counts: counts.get(canonicalName(mailbox)) ?? null }));
    return { statuses, meta: fromServer() };
  });

export default handle;
