import type { ImapConnection } from '../connection/connection.js';
import { atom, type ImapArgument, mailboxName } from '../wire/tokens.js';
import { unlessRefused } from './mailbox-status.js';

/** Most names in one command line. */
const MOST_NAMES = 100;

/** What the server is asked to report beside the changes of the selected folder. */
export interface Notified {
  /** Folders whose messages are watched. */
  mailboxes: readonly string[];
  /** Whether folders are watched: which there are, and which are subscribed. */
  folders: boolean;
}

/**
 * Asks the server to report changes elsewhere than in the selected folder: of messages by an untagged STATUS, of folders
 * by an untagged LIST (NOTIFY, RFC 5465 section 5). Reports of the selected folder stay as they are without NOTIFY.
 * @returns whether the server accepted; a server may refuse
 */
export async function notifyOf(connection: ImapConnection, { mailboxes, folders }: Notified): Promise<boolean> {
  const named = mailboxes.length <= MOST_NAMES ? mailboxes : [];
  if (!connection.has('NOTIFY') || (named.length === 0 && !folders)) return false;
  const events = [atom('MessageNew'), atom('MessageExpunge'), atom('FlagChange')];
  const args: ImapArgument[] = [atom('SET'), [atom('SELECTED-DELAYED'), events]];
  if (named.length > 0) args.push([atom('MAILBOXES'), named.map(mailboxName), events]);
  if (folders) args.push([atom('PERSONAL'), [atom('MailboxName'), atom('SubscriptionChange')]]);
  if (await unlessRefused(connection.exec('read', 'NOTIFY', args))) return true;
  // A server need not know all kinds of events (RFC 5465 section 3.1).
  return folders && named.length > 0 ? notifyOf(connection, { mailboxes: named, folders: false }) : false;
}
