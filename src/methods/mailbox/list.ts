import { listMailboxes } from '../../imap/mailbox-list.js';
import { mailboxTree, subscribedTree } from '../../imap/mailbox-tree.js';
import { namespacesOf } from '../../imap/namespaces.js';
import type { Handler } from '../context.js';
import { jobOf } from '../job.js';
import { fromServer } from '../meta.js';

const handle: Handler<'mailbox.list'> = (context, { counts, subscribedOnly }) =>
  context.account.run(jobOf(context, { effect: 'read' }), async (connection) => {
    const listed = await listMailboxes(connection, { counts, ghosts: subscribedOnly });
    const { other, shared } = await namespacesOf(connection);
    const tree = mailboxTree(
      listed,
      [...other, ...shared].map(({ prefix }) => prefix),
    );
    return { mailboxes: subscribedOnly ? subscribedTree(tree) : tree, meta: fromServer() };
  });

export default handle;
