import type { ImapConnection } from '../connection/connection.js';
import { atom, type ImapArgument, mailboxName } from '../wire/tokens.js';
import { unlessRefused } from './mailbox-status.js';

/** Most names in one command line. */
const MOST_NAMES = 100;

/**
 * Asks the server to report changes in folders that are not selected, by an untagged STATUS each (NOTIFY, RFC 5465
 * section 5). Reports of the selected folder stay as they are without NOTIFY.
 * @returns whether the server accepted; a server may refuse
 */
export async function notifyOf(connection: ImapConnection, mailboxes: readonly string[]): Promise<boolean> {
  if (!connection.has('NOTIFY') || mailboxes.length === 0 || mailboxes.length > MOST_NAMES) return false;
  const events = [atom('MessageNew'), atom('MessageExpunge'), atom('FlagChange')];
  const args: ImapArgument[] = [
    atom('SET'),
    [atom('SELECTED-DELAYED'), events],
    [atom('MAILBOXES'), mailboxes.map(mailboxName), events],
  ];
  return unlessRefused(connection.exec('read', 'NOTIFY', args));
}
