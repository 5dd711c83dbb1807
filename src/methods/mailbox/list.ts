import { namespacesOf } from '../../imap/connection/namespaces.js';
import { listMailboxes } from '../../imap/mailboxes/mailbox-list.js';
import { mailboxTree, subscribedTree } from '../../imap/mailboxes/mailbox-tree.js';
import type { Handler } from '../context.js';
import { shared } from '../support/shared.js';

/** A list of thousands of folders has a megabyte, and is asked for more often than any message. */
const LARGER = 16;

const handle: Handler<'mailbox.list'> = (context, params) =>
  shared(context, params, { times: LARGER }, async (connection) => {
    const { counts, subscribedOnly } = params;
    const listed = await listMailboxes(connection, { counts, ghosts: subscribedOnly });
    const { other, shared } = namespacesOf(connection);
    const tree = await mailboxTree(
      listed,
      [...other, ...shared].map(({ prefix }) => prefix),
    );
    return { mailboxes: subscribedOnly ? subscribedTree(tree) : tree };
  });

export default handle;
