import { BrokerError } from '../../protocol/errors.js';
import type { ImapConnection } from '../connection/connection.js';
import { canonicalName, isInTree } from '../wire/mailbox-names.js';
import { isSelectable, type ListedMailbox, listMailboxes } from './mailbox-list.js';

/** Which folders a request is about, where it does not name each. */
export type FolderSet = 'all' | 'subscribed' | { below: string };

/** What a folder with \All (RFC 6154) does not hold, as servers with such a folder have it. */
const beside = ['\\trash', '\\junk'];

/**
 * Names of the folders of a set that can hold messages. `all` is the folder with \All and what that one does not hold,
 * where there is one: in the others is nothing that it lacks.
 * @throws BrokerError NOT_FOUND where there is nothing of the name that `below` has; and as LIST does
 */
export async function foldersOf(connection: ImapConnection, set: FolderSet): Promise<string[]> {
  const listed = await listMailboxes(connection, { counts: false, ghosts: false });
  const some = listed.filter(isSelectable).filter(filterOf(set, listed));
  return some.map(({ name }) => name);
}

function filterOf(set: FolderSet, listed: readonly ListedMailbox[]): (one: ListedMailbox) => boolean {
  if (set === 'subscribed') return ({ subscribed }) => subscribed;
  if (set !== 'all') {
    const root = canonicalName(set.below);
    const isWithin = ({ name, delimiter }: ListedMailbox) => isInTree(name, root, delimiter);
    if (listed.some(isWithin)) return isWithin;
    throw new BrokerError('NOT_FOUND', `mailboxes: there is no folder "${root}".`, { field: 'mailboxes' });
  }
  const whole = listed.find((one) => one.attributes.has('\\all') && isSelectable(one));
  return whole ? (one) => one === whole || beside.some((use) => one.attributes.has(use)) : () => true;
}
