import { quotaOf } from '../../imap/mailboxes/quota.js';
import type { Handler } from '../context.js';
import { shared } from '../support/shared.js';

const handle: Handler<'quota.get'> = (context, params) =>
  shared(context, params, {}, async (connection) => {
    const quota = await quotaOf(connection, params.mailbox);
    const { root, storage, messages } = quota ?? { root: null, storage: null, messages: null };
    return { supported: quota !== undefined, root, storage, messages };
  });

export default handle;
