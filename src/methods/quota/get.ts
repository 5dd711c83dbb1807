import { quotaOf } from '../../imap/quota.js';
import type { Handler } from '../context.js';
import { jobOf } from '../job.js';
import { fromServer } from '../meta.js';

const handle: Handler<'quota.get'> = (context, { mailbox }) =>
  context.account.run(jobOf(context, { effect: 'read' }), async (connection) => {
    const quota = await quotaOf(connection, mailbox);
    const { root, storage, messages } = quota ?? { root: null, storage: null, messages: null };
    return { supported: quota !== undefined, root, storage, messages, meta: fromServer() };
  });

export default handle;
