import { listMailboxes } from '../../imap/mailbox-list.js';
import { mailboxTree, subscribedTree } from '../../imap/mailbox-tree.js';
import { namespacesOf } from '../../imap/namespaces.js';
import type { Handler } from '../context.js';
import { shared } from '../shared.js';

const handle: Handler<'mailbox.list'> = (context, params) =>
  shared(context, params, {}, async (connection) => {
    const { counts, subscribedOnly } = params;
    const listed = await listMailboxes(connection, { counts, ghosts: subscribedOnly });
    const { other, shared } = namespacesOf(connection);
    const tree = mailboxTree(
      listed,
      [...other, ...shared].map(({ prefix }) => prefix),
    );
    return { mailboxes: subscribedOnly ? subscribedTree(tree) : tree };
  });

export default handle;
