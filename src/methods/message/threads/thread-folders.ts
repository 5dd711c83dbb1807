import type { ImapConnection } from '../../../imap/connection/connection.js';
import { namespacesOf } from '../../../imap/connection/namespaces.js';
import { type ListedMailbox, listMailboxes } from '../../../imap/mailboxes/mailbox-list.js';
import { mailboxTree } from '../../../imap/mailboxes/mailbox-tree.js';
import { canonicalName } from '../../../imap/wire/mailbox-names.js';

/** The folders in which a conversation is looked for. */
export interface ThreadFolders {
  names: string[];
  /** The one among them that has the messages of all others (\All). */
  all: string | undefined;
}

/** All folders, by one LIST that is begun at once. */
export function listForThread(connection: ImapConnection): Promise<ListedMailbox[]> {
  return listMailboxes(connection, { counts: false, ghosts: false, subscriptions: false });
}

/**
 * The folders that a caller names; by default the folder of the message and the one with \Sent, or the one with \All in
 * place of both. A folder that is \All by its name only has the user put something into, so that does not count.
 */
export async function threadFolders(
  connection: ImapConnection,
  listed: readonly ListedMailbox[],
  mailbox: string,
  named: readonly string[] | undefined,
): Promise<ThreadFolders> {
  const { other, shared } = namespacesOf(connection);
  const tree = await mailboxTree(
    listed,
    [...other, ...shared].map(({ prefix }) => prefix),
  );
  const usable = tree.filter(({ selectable }) => selectable);
  const all = usable.find(({ specialUse, specialUseSource }) => specialUse === 'all' && specialUseSource === 'server');
  const sent = usable.find(({ specialUse }) => specialUse === 'sent');
  if (named) {
    const names = [...new Set(named.map(canonicalName))];
    return { names, all: all && names.includes(all.name) ? all.name : undefined };
  }
  if (all) return { names: [all.name], all: all.name };
  return { names: [...new Set([canonicalName(mailbox), ...(sent ? [sent.name] : [])])], all: undefined };
}
